// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: each cell of a CellChain takes as many features as the one before it gives
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"

using namespace minrnn;

int main() {
  Random random(1);
  const Sequential net{Linear<float>(2, 3, random.stream(0)), Linear<float>(3, 1, random.stream(1))};
#ifdef MINRNN_WRONG
  const CellChain<LinearCell<float, 2, 3>, LinearCell<float, 4, 1>> model(net);
#else
  const CellChain<LinearCell<float, 2, 3>, LinearCell<float, 3, 1>> model(net);
#endif
  auto state = model.initial_state();
  model.step(Eigen::Vector2f(1, 2), state);
}
