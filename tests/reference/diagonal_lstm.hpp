// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"
#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

/// f_t = sigmoid(a_f h_{t-1} + c_f c_{t-1} + W_f x_t + b_f),  g_t = tanh(a_g h_{t-1} + W_g x_t + b_g),
/// c_t = f_t c_{t-1} + (1 - f_t) g_t,  o_t = sigmoid(a_o h_{t-1} + c_o c_t + W_o x_t + b_o),  h_t = o_t tanh(c_t)
inline Found diagonal_lstm(const Given& given) {
  Found found(given);
  const Matrix<double>&a_f = given["a_f"], &c_f = given["c_f"], &a_g = given["a_g"], &a_o = given["a_o"];
  const Matrix<double>& c_o = given["c_o"];
  const Index size = given.dy.rows(), time = given.time();
  Matrix<double>& h = found.y;
  Matrix<double> f(size, time), g(size, time), o(size, time), c(size, time);
  for (Index t = 0; t < time; ++t) {
    const Vector h_before = given.before("h", h, t), c_before = given.before("c", c, t), x = given.x.col(t);
    const Vector k_f = affine(given, "w_f", "b_f", x), k_g = affine(given, "w_g", "b_g", x);
    const Vector k_o = affine(given, "w_o", "b_o", x);
    for (Index i = 0; i < size; ++i) {
      f(i, t) = sigmoid(a_f(i) * h_before(i) + c_f(i) * c_before(i) + k_f(i));
      g(i, t) = std::tanh(a_g(i) * h_before(i) + k_g(i));
      c(i, t) = f(i, t) * c_before(i) + (1 - f(i, t)) * g(i, t);
      o(i, t) = sigmoid(a_o(i) * h_before(i) + c_o(i) * c(i, t) + k_o(i));
      h(i, t) = o(i, t) * std::tanh(c(i, t));
    }
  }
  Vector dh = given.dlast.at("h"), dc = given.dlast.at("c"), dk_f(size), dk_g(size), dk_o(size);
  for (Index t = time; t-- > 0;) {
    const Vector h_before = given.before("h", h, t), c_before = given.before("c", c, t), x = given.x.col(t);
    dh += given.dy.col(t);
    for (Index i = 0; i < size; ++i) {
      const double tanh = std::tanh(c(i, t));
      dk_o(i) = dh(i) * tanh * o(i, t) * (1 - o(i, t));
      dc(i) += dh(i) * o(i, t) * (1 - tanh * tanh) + dk_o(i) * c_o(i);
      dk_f(i) = dc(i) * (c_before(i) - g(i, t)) * f(i, t) * (1 - f(i, t));
      dk_g(i) = dc(i) * (1 - f(i, t)) * (1 - g(i, t) * g(i, t));
      found.d("a_f")(i) += dk_f(i) * h_before(i);
      found.d("c_f")(i) += dk_f(i) * c_before(i);
      found.d("a_g")(i) += dk_g(i) * h_before(i);
      found.d("a_o")(i) += dk_o(i) * h_before(i);
      found.d("c_o")(i) += dk_o(i) * c(i, t);
      dh(i) = dk_f(i) * a_f(i) + dk_g(i) * a_g(i) + dk_o(i) * a_o(i);
      dc(i) = dc(i) * f(i, t) + dk_f(i) * c_f(i);
    }
    found.dx.col(t) = affine_adjoint(given, found, "w_f", "b_f", x, dk_f) +
                      affine_adjoint(given, found, "w_g", "b_g", x, dk_g) +
                      affine_adjoint(given, found, "w_o", "b_o", x, dk_o);
    if (given.start(t)) dh.setZero(), dc.setZero();
  }
  found.state = {{"h", h.col(time - 1)}, {"c", c.col(time - 1)}};
  found.dstate = {{"h", dh}, {"c", dc}};
  return found;
}

}  // namespace minrnn::reference
