// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: the layer computes something else than this cell
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/layers/min_lstm.hpp"

using namespace minrnn;

int main() {
  Random random(1);
  const MinLstm<float, GateScaling::normalised, Candidate::plain> layer(2, 3, random.stream(0));
#ifdef MINRNN_WRONG
  const MinLstmCell<float, 2, 3> cell(layer);
#else
  const MinLstmCell<float, 2, 3, GateScaling::normalised, Candidate::plain> cell(layer);
#endif
}
