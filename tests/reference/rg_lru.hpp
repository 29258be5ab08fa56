// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"
#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

/// r_t = sigmoid(W_r x_t + b_r),  i_t = sigmoid(W_i x_t + b_i),  v_t = W_h x_t + b_h,  a_t = exp(-l_t) with
/// l_t = 8 r_t log(1 + exp(-lambda)),  m_t = sqrt(1 - a_t^2),  h_t = a_t h_{t-1} + m_t i_t v_t, and back:
/// delta_t = dh_t + a_{t+1} delta_{t+1};  dl_t = delta_t (-a_t h_{t-1} + a_t^2 / m_t i_t v_t)
inline Found rg_lru(const Given& given) {
  Found found(given);
  const Index size = given.dy.rows(), time = given.time();
  const Vector initial = min_initial(given, false);
  const Vector pace = 8 * (-given["lambda"].col(0).array()).exp().log1p();
  Matrix<double>& h = found.y;
  Matrix<double> r(size, time), i(size, time), v(size, time), a(size, time), m(size, time);
  for (Index t = 0; t < time; ++t) {
    const Vector x = given.x.col(t), before = given.before("h", h, t, initial);
    const Vector k_r = affine(given, "w_r", "b_r", x), k_i = affine(given, "w_i", "b_i", x);
    v.col(t) = affine(given, "w_h", "b_h", x);
    for (Index j = 0; j < size; ++j) {
      r(j, t) = sigmoid(k_r(j));
      i(j, t) = sigmoid(k_i(j));
      a(j, t) = std::exp(-pace(j) * r(j, t));
      m(j, t) = std::sqrt(-std::expm1(-2 * pace(j) * r(j, t)));
      h(j, t) = a(j, t) * before(j) + m(j, t) * i(j, t) * v(j, t);
    }
  }
  Vector delta = given.dlast.at("h"), dk_r(size), dk_i(size), dk_h(size);
  for (Index t = time; t-- > 0;) {
    const Vector x = given.x.col(t), before = given.before("h", h, t, initial);
    delta += given.dy.col(t);
    for (Index j = 0; j < size; ++j) {
      const double a_m = a(j, t) * a(j, t) / m(j, t);
      const double dl = delta(j) * (a_m * i(j, t) * v(j, t) - a(j, t) * before(j));
      dk_r(j) = dl * pace(j) * r(j, t) * (1 - r(j, t));
      dk_i(j) = delta(j) * m(j, t) * v(j, t) * i(j, t) * (1 - i(j, t));
      dk_h(j) = delta(j) * m(j, t) * i(j, t);
      found.d("lambda")(j) -= dl * 8 * r(j, t) * sigmoid(-given["lambda"](j));
      delta(j) *= a(j, t);
    }
    found.dx.col(t) = affine_adjoint(given, found, "w_r", "b_r", x, dk_r) +
                      affine_adjoint(given, found, "w_i", "b_i", x, dk_i) +
                      affine_adjoint(given, found, "w_h", "b_h", x, dk_h);
    if (given.start(t)) add_to_h_0(given, found, false, delta), delta.setZero();
  }
  found.state["h"] = h.rightCols(1);
  found.dstate["h"] = delta;
  return found;
}

}  // namespace minrnn::reference
