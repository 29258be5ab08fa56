// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/minrnn.hpp"

minrnn::MinGru<float> make_layer() {
  minrnn::Random random(1);
  return minrnn::MinGru<float>(3, 4, random);
}
