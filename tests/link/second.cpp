// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/minrnn.hpp"

minrnn::MinGru<float> make_layer() { return minrnn::MinGru<float>(3, 4, minrnn::Random(1).stream(0)); }
