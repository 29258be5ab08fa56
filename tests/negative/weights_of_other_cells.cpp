// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: the weights are those of other cells
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/cells/linear_cell.hpp"

using namespace minrnn;

struct Weights {
#ifdef MINRNN_WRONG
  static constexpr char kCells[] = "Linear(1, 2)";
#else
  static constexpr char kCells[] = "Linear(1, 1)";
#endif
  static constexpr float kValues[34] = {1, 2};
};

constexpr CellView<LinearCell<float, 1, 1>> kCell(Weights{});

int main() { return kCell.weights() == Weights::kValues ? 0 : 1; }
