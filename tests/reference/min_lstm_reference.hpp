// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

struct MinLstmWeights {
  Matrix<double> w_f, b_f, w_i, b_i, w_h, b_h;
  bool normalised, positive;
  double flip = 0;  // the decay is f' - flip i': 1 where the state may change its sign
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
      h(i, t) = (f - p.flip * input) * h_0(i, 0) + input * h_tilde;
    }
    h_0 = h.col(t);
  }
  return h;
}

/// h_t = (f'_t - c i'_t) h_{t-1} + i'_t h~_t with f' = f / (f + i), i' = i / (f + i), or unnormalised f' = f, i' = i,
/// and c = flip; and back: delta_t = dh_t + (f'_{t+1} - c i'_{t+1}) delta_{t+1};
/// df'_t = delta_t h_{t-1};  di'_t = delta_t (h~_t - c h_{t-1});  dh~_t = delta_t i'_t;
/// df_t = (df'_t - di'_t) i'_t / (f + i);  di_t = (di'_t - df'_t) f'_t / (f + i)
inline Found min_lstm(const Given& given, bool normalised, bool positive, double flip = 0) {
  Found found(given);
  const Vector initial = min_initial(given, positive);
  const MinLstmWeights weights{given["w_f"], given["b_f"], given["w_i"], given["b_i"], given["w_h"],
                               given["b_h"], normalised,   positive,     flip};
  const Matrix<double> h = found.y = min_lstm(weights, given.x, given.state.at("h"), initial, given.starts);
  Vector delta = given.dlast.at("h"), dk_f(h.rows()), dk_i(h.rows()), dk_h(h.rows());
  for (Index t = given.time(); t-- > 0;) {
    const Vector x = given.x.col(t), before = given.before("h", h, t, initial);
    const Vector k_f = affine(given, "w_f", "b_f", x), k_i = affine(given, "w_i", "b_i", x);
    const Vector k_h = affine(given, "w_h", "b_h", x);
    delta += given.dy.col(t);
    for (Index j = 0; j < h.rows(); ++j) {
      const double f = sigmoid(k_f(j)), i = sigmoid(k_i(j)), h_tilde = positive ? g(k_h(j)) : k_h(j);
      const double sum = normalised ? f + i : 1, df_scaled = delta(j) * before(j),
                   di_scaled = delta(j) * (h_tilde - flip * before(j));
      const double df = normalised ? (df_scaled - di_scaled) * i / (sum * sum) : df_scaled;
      const double di = normalised ? (di_scaled - df_scaled) * f / (sum * sum) : di_scaled;
      dk_f(j) = df * f * (1 - f);
      dk_i(j) = di * i * (1 - i);
      dk_h(j) = delta(j) * i / sum * (positive ? g_slope(k_h(j)) : 1);
      delta(j) *= (f - flip * i) / sum;
    }
    found.dx.col(t) = affine_adjoint(given, found, "w_f", "b_f", x, dk_f) +
                      affine_adjoint(given, found, "w_i", "b_i", x, dk_i) +
                      affine_adjoint(given, found, "w_h", "b_h", x, dk_h);
    if (given.start(t)) add_to_h_0(given, found, positive, delta), delta.setZero();
  }
  found.state["h"] = h.rightCols(1);
  found.dstate["h"] = delta;
  return found;
}

}  // namespace minrnn::reference
