// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"
#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

/// r_t = sigmoid(p_r + q_r),  z_t = sigmoid(p_z + q_z),  n_t = tanh(p_n + r_t q_n),  h_t = (1 - z_t) n_t + z_t h_{t-1}
/// with p = W_ih x_t + b_ih and q = W_hh h_{t-1} + b_hh, rows r, z, n
inline Found gru(const Given& given) {
  Found found(given);
  const Index size = given.dy.rows(), time = given.time();
  Matrix<double>& h = found.y;
  Matrix<double> r(size, time), z(size, time), n(size, time), q_n(size, time);
  for (Index t = 0; t < time; ++t) {
    const Vector before = given.before("h", h, t);
    const Vector p = affine(given, "weight_ih", "bias_ih", given.x.col(t));
    const Vector q = affine(given, "weight_hh", "bias_hh", before);
    for (Index i = 0; i < size; ++i) {
      r(i, t) = sigmoid(p(i) + q(i));
      z(i, t) = sigmoid(p(size + i) + q(size + i));
      q_n(i, t) = q(2 * size + i);
      n(i, t) = std::tanh(p(2 * size + i) + r(i, t) * q_n(i, t));
      h(i, t) = (1 - z(i, t)) * n(i, t) + z(i, t) * before(i);
    }
  }
  Vector dh = given.dlast.at("h"), dp(3 * size), dq(3 * size);
  for (Index t = time; t-- > 0;) {
    const Vector before = given.before("h", h, t);
    dh += given.dy.col(t);
    for (Index i = 0; i < size; ++i) {
      const double dn = dh(i) * (1 - z(i, t)) * (1 - n(i, t) * n(i, t));
      dp(i) = dq(i) = dn * q_n(i, t) * r(i, t) * (1 - r(i, t));
      dp(size + i) = dq(size + i) = dh(i) * (before(i) - n(i, t)) * z(i, t) * (1 - z(i, t));
      dp(2 * size + i) = dn;
      dq(2 * size + i) = dn * r(i, t);
    }
    found.dx.col(t) = affine_adjoint(given, found, "weight_ih", "bias_ih", given.x.col(t), dp);
    dh = Vector(dh.cwiseProduct(z.col(t)) + affine_adjoint(given, found, "weight_hh", "bias_hh", before, dq));
    if (given.start(t)) dh.setZero();
  }
  found.state["h"] = h.col(time - 1);
  found.dstate["h"] = dh;
  return found;
}

}  // namespace minrnn::reference
