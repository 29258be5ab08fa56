// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"
#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

/// z_t = sigmoid(a_z h_{t-1} + W_z x_t + b_z),  r_t = sigmoid(a_r h_{t-1} + W_r x_t + b_r),
/// n_t = tanh(a_n (h_{t-1} r_t) + W_n x_t + b_n),  h_t = (1 - z_t) h_{t-1} + z_t n_t
inline Found diagonal_gru(const Given& given) {
  Found found(given);
  const Matrix<double>&a_z = given["a_z"], &a_r = given["a_r"], &a_n = given["a_n"];
  const Index size = given.dy.rows(), time = given.time();
  Matrix<double>& h = found.y;
  Matrix<double> z(size, time), r(size, time), n(size, time);
  for (Index t = 0; t < time; ++t) {
    const Vector before = given.before("h", h, t), x = given.x.col(t);
    const Vector k_z = affine(given, "w_z", "b_z", x), k_r = affine(given, "w_r", "b_r", x);
    const Vector k_n = affine(given, "w_n", "b_n", x);
    for (Index i = 0; i < size; ++i) {
      z(i, t) = sigmoid(a_z(i) * before(i) + k_z(i));
      r(i, t) = sigmoid(a_r(i) * before(i) + k_r(i));
      n(i, t) = std::tanh(a_n(i) * before(i) * r(i, t) + k_n(i));
      h(i, t) = (1 - z(i, t)) * before(i) + z(i, t) * n(i, t);
    }
  }
  Vector dh = given.dlast.at("h"), dk_z(size), dk_r(size), dk_n(size);
  for (Index t = time; t-- > 0;) {
    const Vector before = given.before("h", h, t), x = given.x.col(t);
    dh += given.dy.col(t);
    for (Index i = 0; i < size; ++i) {
      dk_z(i) = dh(i) * (n(i, t) - before(i)) * z(i, t) * (1 - z(i, t));
      dk_n(i) = dh(i) * z(i, t) * (1 - n(i, t) * n(i, t));
      dk_r(i) = dk_n(i) * a_n(i) * before(i) * r(i, t) * (1 - r(i, t));
      found.d("a_z")(i) += dk_z(i) * before(i);
      found.d("a_r")(i) += dk_r(i) * before(i);
      found.d("a_n")(i) += dk_n(i) * before(i) * r(i, t);
      dh(i) = dh(i) * (1 - z(i, t)) + dk_z(i) * a_z(i) + dk_r(i) * a_r(i) + dk_n(i) * a_n(i) * r(i, t);
    }
    found.dx.col(t) = affine_adjoint(given, found, "w_z", "b_z", x, dk_z) +
                      affine_adjoint(given, found, "w_r", "b_r", x, dk_r) +
                      affine_adjoint(given, found, "w_n", "b_n", x, dk_n);
    if (given.start(t)) dh.setZero();
  }
  found.state["h"] = h.col(time - 1);
  found.dstate["h"] = dh;
  return found;
}

}  // namespace minrnn::reference
