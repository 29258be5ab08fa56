// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: the layer computes something else than this cell
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"

using namespace minrnn;

int main() {
  Random random(1);
#ifdef MINRNN_WRONG
  const MinLstm<float> layer(2, 3, random.stream(0));
#else
  const MinGru<float, Candidate::positive, Arithmetic::log_space> layer(2, 3, random.stream(0));
#endif
  const MinGruCell<float, 2, 3> cell(layer);
}
