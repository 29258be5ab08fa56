// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

struct MinLstmWeights {
  Matrix<double> w_f, b_f, w_i, b_i, w_h, b_h;
  bool normalised, positive;
};

/// h (H, T) of x (F, T) from h_0 (H); where starts[t] is set, from `initial` (H).
inline Matrix<double> min_lstm(const MinLstmWeights& p, const Matrix<double>& x, Matrix<double> h_0,
                               const Matrix<double>& initial, const std::vector<std::uint8_t>& starts = {}) {
  Matrix<double> h(p.w_f.rows(), x.cols());
  for (Index t = 0; t < x.cols(); ++t) {
    if (!starts.empty() && starts[static_cast<std::size_t>(t)]) h_0 = initial;
    for (Index i = 0; i < h.rows(); ++i) {
      double f = sigmoid(affine(p.w_f, p.b_f, x, i, t));
      double input = sigmoid(affine(p.w_i, p.b_i, x, i, t));
      if (p.normalised) {
        const double sum = f + input;
        f /= sum;
        input /= sum;
      }
      const double h_tilde = p.positive ? g(affine(p.w_h, p.b_h, x, i, t)) : affine(p.w_h, p.b_h, x, i, t);
      h(i, t) = f * h_0(i, 0) + input * h_tilde;
    }
    h_0 = h.col(t);
  }
  return h;
}

}  // namespace minrnn::reference
