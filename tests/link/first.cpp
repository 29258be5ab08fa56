// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/minrnn.hpp"

minrnn::MinGru<float> make_layer();

int main() { return make_layer().input_size() == 3 ? 0 : 1; }
