// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: an RmsNormCell is made of an RmsNorm
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/rms_norm.hpp"

using namespace minrnn;

int main() {
  Random random(1);
#ifdef MINRNN_WRONG
  const Sequential net{Linear<float>(2, 2, random.stream(0)), Linear<float>(2, 1, random.stream(1))};
#else
  const Sequential net{RmsNorm<float>(2), Linear<float>(2, 1, random.stream(1))};
#endif
  const CellChain<RmsNormCell<float, 2>, LinearCell<float, 2, 1>> model(net);
}
