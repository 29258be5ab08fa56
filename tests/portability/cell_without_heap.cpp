// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// A cell from weights in an object of the user's, for a target without a heap: compiled with EIGEN_NO_MALLOC.
#include <cmath>

#include "minrnn/cells/min_gru_cell.hpp"

namespace {

struct Weights {
  Eigen::Matrix<float, 5, 2> w[2];
  Eigen::Matrix<float, 5, 1> b[2];
  const Eigen::Matrix<float, 5, 2>& weight(int gate) const { return w[gate]; }
  const Eigen::Matrix<float, 5, 1>& bias(int gate) const { return b[gate]; }
};

}  // namespace

int main() {
  Weights weights;
  for (auto& w : weights.w) w.setConstant(0.5f);
  for (auto& b : weights.b) b.setConstant(-0.25f);
  const minrnn::MinGruCell<float, 2, 5> cell(weights);
  Eigen::Matrix<float, 5, 1> h = Eigen::Matrix<float, 5, 1>::Ones();
  cell.step(Eigen::Vector2f(1, 2), h);
  // k = 0.5 (1 + 2) - 0.25 for both gates; h = (1 - sigmoid(k)) 1 + sigmoid(k) (k + 0.5)
  const float z = 1 / (1 + std::exp(-1.25f)), wanted = 1 - z + z * 1.75f;
  return (h.array() - wanted).abs().maxCoeff() < 1e-6f ? 0 : 1;
}
