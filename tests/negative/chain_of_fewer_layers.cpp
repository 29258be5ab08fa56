// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: a CellChain is made of a Sequential of as many layers as it has cells
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"

using namespace minrnn;

int main() {
  Random random(1);
#ifdef MINRNN_WRONG
  const Sequential net{Linear<float>(2, 2, random.stream(0))};
#else
  const Sequential net{Linear<float>(2, 2, random.stream(0)), Linear<float>(2, 2, random.stream(1))};
#endif
  const CellChain<LinearCell<float, 2, 2>, LinearCell<float, 2, 2>> model(net);
}
