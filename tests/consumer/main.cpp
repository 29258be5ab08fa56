// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <minrnn/minrnn.hpp>

int main() {
  minrnn::Random random(1);
  const minrnn::MinGru<float> layer(3, 4, random.stream(0));
  return layer.output_size() == 4 ? 0 : 1;
}
