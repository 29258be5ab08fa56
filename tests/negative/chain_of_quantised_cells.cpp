// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: a QuantisedCell stands in no other cell
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"

using namespace minrnn;

template <class Cell>
using Narrow = QuantisedCell<Cell, WeightFormat::int8>;

int main() {
  const Sequential net{Linear<float>(2, 1, Random(1).stream(0))};
#ifdef MINRNN_WRONG
  const CellChain<Narrow<LinearCell<float, 2, 1>>> model(net);
#else
  const Narrow<CellChain<LinearCell<float, 2, 1>>> model(net);
#endif
}
