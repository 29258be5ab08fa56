// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

/// The single source of the version: CMakeLists.txt reads these lines.
#define MINRNN_VERSION_MAJOR 0
#define MINRNN_VERSION_MINOR 1
#define MINRNN_VERSION_PATCH 0
#define MINRNN_VERSION_STRING "0.1.0"
/// The same as one number that grows with the version, 102 for 0.1.2, for `#if MINRNN_VERSION >= 200`.
#define MINRNN_VERSION (MINRNN_VERSION_MAJOR * 10000 + MINRNN_VERSION_MINOR * 100 + MINRNN_VERSION_PATCH)
