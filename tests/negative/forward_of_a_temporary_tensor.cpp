// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: a temporary ends before backward reads it: give it a name
#include "minrnn/minrnn.hpp"

using namespace minrnn;
using Tensor = Eigen::Tensor<float, 3>;

Tensor load() {
  Tensor x(2, 5, 1);
  x.setZero();
  return x;
}

int main() {
  Random random(1);
  MinGru<float> layer(2, 3, random.stream(0));
  MinGru<float>::Cache cache;
  auto state = layer.initial_state(1);
#ifdef MINRNN_WRONG
  layer.forward(load(), state, cache);
#else
  Tensor x = load();
  const Tensor& fixed = x;
  layer.forward(x, state, cache);
  layer.forward(fixed, state, cache);
  const Eigen::TensorMap<Tensor> map(x.data(), 2, 5, 1);
  layer.forward(map, state, cache);
  layer.forward(Eigen::TensorMap<const Tensor>(x.data(), 2, 5, 1), state, cache);
#endif
}
