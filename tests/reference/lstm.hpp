// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"
#include "reference/min_gru_reference.hpp"

namespace minrnn::reference {

/// (i, f, g, o)_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, through sigmoid, sigmoid, tanh, sigmoid;
/// c_t = f_t c_{t-1} + i_t g_t,  h_t = o_t tanh(c_t)
inline Found lstm(const Given& given) {
  Found found(given);
  const Index size = given.dy.rows(), time = given.time();
  Matrix<double>& h = found.y;
  Matrix<double> i(size, time), f(size, time), g(size, time), o(size, time), c(size, time);
  for (Index t = 0; t < time; ++t) {
    const Vector c_before = given.before("c", c, t);
    const Vector k = affine(given, "weight_ih", "bias_ih", given.x.col(t)) +
                     affine(given, "weight_hh", "bias_hh", given.before("h", h, t));
    for (Index j = 0; j < size; ++j) {
      i(j, t) = sigmoid(k(j));
      f(j, t) = sigmoid(k(size + j));
      g(j, t) = std::tanh(k(2 * size + j));
      o(j, t) = sigmoid(k(3 * size + j));
      c(j, t) = f(j, t) * c_before(j) + i(j, t) * g(j, t);
      h(j, t) = o(j, t) * std::tanh(c(j, t));
    }
  }
  Vector dh = given.dlast.at("h"), dc = given.dlast.at("c"), dk(4 * size);
  for (Index t = time; t-- > 0;) {
    const Vector c_before = given.before("c", c, t);
    dh += given.dy.col(t);
    for (Index j = 0; j < size; ++j) {
      const double tanh = std::tanh(c(j, t));
      dc(j) += dh(j) * o(j, t) * (1 - tanh * tanh);
      dk(j) = dc(j) * g(j, t) * i(j, t) * (1 - i(j, t));
      dk(size + j) = dc(j) * c_before(j) * f(j, t) * (1 - f(j, t));
      dk(2 * size + j) = dc(j) * i(j, t) * (1 - g(j, t) * g(j, t));
      dk(3 * size + j) = dh(j) * tanh * o(j, t) * (1 - o(j, t));
      dc(j) *= f(j, t);
    }
    found.dx.col(t) = affine_adjoint(given, found, "weight_ih", "bias_ih", given.x.col(t), dk);
    dh = affine_adjoint(given, found, "weight_hh", "bias_hh", given.before("h", h, t), dk);
    if (given.start(t)) dh.setZero(), dc.setZero();
  }
  found.state = {{"h", h.col(time - 1)}, {"c", c.col(time - 1)}};
  found.dstate = {{"h", dh}, {"c", dc}};
  return found;
}

}  // namespace minrnn::reference
