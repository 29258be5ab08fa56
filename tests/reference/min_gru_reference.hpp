// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "minrnn/core/types.hpp"
#include "reference/given.hpp"

/// The sequential equations of Feng et al. 2024, word for word: one sequence, one step after the other.
namespace minrnn::reference {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
/// Appendix B: g(x) = x + 0.5 for x >= 0, sigmoid(x) for x < 0.
inline double g(double x) { return x >= 0 ? x + 0.5 : sigmoid(x); }

inline double g_slope(double x) { return x >= 0 ? 1 : sigmoid(x) * (1 - sigmoid(x)); }

/// W x_t + b for one row.
inline double affine(const Matrix<double>& w, const Matrix<double>& b, const Matrix<double>& x, Index row, Index t) {
  double sum = b(row, 0);
  for (Index k = 0; k < w.cols(); ++k) sum += w(row, k) * x(k, t);
  return sum;
}

struct MinGruWeights {
  Matrix<double> w_z, b_z, w_h, b_h;
  bool positive;    // appendix B (g) or appendix A (no g)
  double flip = 1;  // the decay is 1 - flip z: 2 where the state may change its sign
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
      h(i, t) = (1 - p.flip * z) * h_0(i, 0) + z * h_tilde;
    }
    h_0 = h.col(t);
  }
  return h;
}

/// The state at a start, g(h_0) or h_0 where the layer learns it, else 0.
inline Vector min_initial(const Given& given, bool positive) {
  Vector initial = Vector::Zero(given.dy.rows());
  for (Index i = 0; given.parameters.count("h_0") != 0 && i < initial.size(); ++i)
    initial(i) = positive ? g(given["h_0"](i, 0)) : given["h_0"](i, 0);
  return initial;
}

/// What of L depends on the state at a start goes to h_0.
inline void add_to_h_0(const Given& given, Found& found, bool positive, const Vector& dinitial) {
  for (Index i = 0; given.parameters.count("h_0") != 0 && i < dinitial.size(); ++i)
    found.d("h_0")(i, 0) += dinitial(i) * (positive ? g_slope(given["h_0"](i, 0)) : 1);
}

/// z_t = sigmoid(k_z),  h~_t = g(k_h),  h_t = (1 - c z_t) h_{t-1} + z_t h~_t with c = flip, and back:
/// delta_t = dh_t + (1 - c z_{t+1}) delta_{t+1};  dz_t = delta_t (h~_t - c h_{t-1});  dh~_t = delta_t z_t
inline Found min_gru(const Given& given, bool positive, double flip = 1) {
  Found found(given);
  const Vector initial = min_initial(given, positive);
  const MinGruWeights weights{given["w_z"], given["b_z"], given["w_h"], given["b_h"], positive, flip};
  const Matrix<double> h = found.y = min_gru(weights, given.x, given.state.at("h"), initial, given.starts);
  Vector delta = given.dlast.at("h"), dk_z(h.rows()), dk_h(h.rows());
  for (Index t = given.time(); t-- > 0;) {
    const Vector x = given.x.col(t), before = given.before("h", h, t, initial);
    const Vector k_z = affine(given, "w_z", "b_z", x), k_h = affine(given, "w_h", "b_h", x);
    delta += given.dy.col(t);
    for (Index i = 0; i < h.rows(); ++i) {
      const double z = sigmoid(k_z(i)), h_tilde = positive ? g(k_h(i)) : k_h(i);
      dk_z(i) = delta(i) * (h_tilde - flip * before(i)) * z * (1 - z);
      dk_h(i) = delta(i) * z * (positive ? g_slope(k_h(i)) : 1);
      delta(i) *= 1 - flip * z;
    }
    found.dx.col(t) =
        affine_adjoint(given, found, "w_z", "b_z", x, dk_z) + affine_adjoint(given, found, "w_h", "b_h", x, dk_h);
    if (given.start(t)) add_to_h_0(given, found, positive, delta), delta.setZero();
  }
  found.state["h"] = h.rightCols(1);
  found.dstate["h"] = delta;
  return found;
}

}  // namespace minrnn::reference
