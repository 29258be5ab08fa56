// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/suite.hpp"

MINRNN_TEST_CONFORMANCE(AttentionLayers);
