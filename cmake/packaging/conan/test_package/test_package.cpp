// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <minrnn/layers/min_gru.hpp>
#ifdef WITH_IO
#include <minrnn/io/checkpoint.hpp>
#endif

int main() {
  const minrnn::MinGru<float> layer(3, 4, minrnn::Random(1).stream(0));
#ifdef WITH_IO
  return minrnn::to_tensors(layer).tensors.empty() ? 1 : 0;
#else
  return layer.output_size() == 4 ? 0 : 1;
#endif
}
