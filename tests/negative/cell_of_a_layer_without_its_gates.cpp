// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: the layer computes something else than this cell
#include "minrnn/cells/min_gru_cell.hpp"

using namespace minrnn;

/// Weights of the user's; with a Cache it is a layer, of which nothing says that it is a minGRU.
struct Weights {
#ifdef MINRNN_WRONG
  struct Cache {};
#endif
  Eigen::Matrix<float, 3, 2> w[2];
  Eigen::Vector<float, 3> b[2];
  const Eigen::Matrix<float, 3, 2>& weight(int gate) const { return w[gate]; }
  const Eigen::Vector<float, 3>& bias(int gate) const { return b[gate]; }
};

int main() { const MinGruCell<float, 2, 3> cell{Weights{}}; }
