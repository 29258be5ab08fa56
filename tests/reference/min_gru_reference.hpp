// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "minrnn/core/types.hpp"

/// The sequential equations of Feng et al. 2024, word for word: one sequence, one step after the other.
namespace minrnn::reference {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
/// Appendix B: g(x) = x + 0.5 for x >= 0, sigmoid(x) for x < 0.
inline double g(double x) { return x >= 0 ? x + 0.5 : sigmoid(x); }

/// W x_t + b for one row.
inline double affine(const Matrix<double>& w, const Matrix<double>& b, const Matrix<double>& x, Index row, Index t) {
  double sum = b(row, 0);
  for (Index k = 0; k < w.cols(); ++k) sum += w(row, k) * x(k, t);
  return sum;
}

struct MinGruWeights {
  Matrix<double> w_z, b_z, w_h, b_h;
  bool positive;  // appendix B (g) or appendix A (no g)
};

/// h (H, T) of x (F, T) from h_0 (H); where starts[t] is set, from `initial` (H).
inline Matrix<double> min_gru(const MinGruWeights& p, const Matrix<double>& x, Matrix<double> h_0,
                              const Matrix<double>& initial, const std::vector<std::uint8_t>& starts = {}) {
  Matrix<double> h(p.w_z.rows(), x.cols());
  for (Index t = 0; t < x.cols(); ++t) {
    if (!starts.empty() && starts[static_cast<std::size_t>(t)]) h_0 = initial;
    for (Index i = 0; i < h.rows(); ++i) {
      const double z = sigmoid(affine(p.w_z, p.b_z, x, i, t));
      const double h_tilde = p.positive ? g(affine(p.w_h, p.b_h, x, i, t)) : affine(p.w_h, p.b_h, x, i, t);
      h(i, t) = (1 - z) * h_0(i, 0) + z * h_tilde;
    }
    h_0 = h.col(t);
  }
  return h;
}

}  // namespace minrnn::reference
