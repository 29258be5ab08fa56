// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <functional>
#include <string>

#include "reference/given.hpp"

namespace minrnn::reference {

/// p_t = sigmoid(W_p x_t),  y_t = p_t l_t + (1 - p_t) x_t  with l = inner(x), and back:
/// dl_t = p_t dy_t;  dp_t = (l_t - x_t) dy_t;  dk_t = p_t (1 - p_t) dp_t
inline Found highway(const Given& given, const std::function<Found(const Given&)>& inner) {
  const std::string scope = "inner/";
  Given inside = given;
  inside.parameters.clear();
  for (const auto& [name, value] : given.parameters)
    if (name.starts_with(scope)) inside.parameters[name.substr(scope.size())] = value;
  const Matrix<double> l = inner(inside).y;
  Found found(given);
  Matrix<double> dx = found.dx;
  for (Index t = 0; t < given.time(); ++t) {
    const Vector x = given.x.col(t), dy = given.dy.col(t);
    const Vector p = affine(given, "w_p", "", x).unaryExpr([](double k) { return 1 / (1 + std::exp(-k)); });
    const Vector other = Vector::Ones(p.size()) - p;
    found.y.col(t) = p.cwiseProduct(l.col(t)) + other.cwiseProduct(x);
    inside.dy.col(t) = p.cwiseProduct(dy);
    const Vector dk = p.cwiseProduct(other).cwiseProduct(l.col(t) - x).cwiseProduct(dy);
    dx.col(t) = affine_adjoint(given, found, "w_p", "", x, dk) + other.cwiseProduct(dy);
  }
  const Found of_inner = inner(inside);
  found.dx = dx + of_inner.dx;
  found.state = of_inner.state;
  found.dstate = of_inner.dstate;
  for (const auto& [name, gradient] : of_inner.gradients) found.d(scope + name) = gradient;
  return found;
}

}  // namespace minrnn::reference
