// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: a temporary ends before backward reads it: give it a name
#include "minrnn/layers/linear.hpp"

using namespace minrnn;

Matrix<float> load() { return Matrix<float>::Zero(2, 5); }

int main() {
  Random random(1);
  Linear<float> layer(2, 3, random.stream(0));
  Linear<float>::Cache cache;
  auto state = layer.initial_state(1);
#ifdef MINRNN_WRONG
  layer.forward(load(), state, cache);
#else
  const Matrix<float> x = load();
  layer.forward(x, state, cache);
  layer.forward(x.leftCols(3), state, cache);
  layer.forward(Eigen::Map<const Matrix<float> >(x.data(), 2, 5), state, cache);
#endif
}
