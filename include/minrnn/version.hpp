// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

/// The single source of the version: CMakeLists.txt reads these lines.
#define MINRNN_VERSION_MAJOR 0
#define MINRNN_VERSION_MINOR 1
#define MINRNN_VERSION_PATCH 0
#define MINRNN_VERSION_STRING "0.1.0"
