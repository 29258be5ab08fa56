// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = (n_{t-1} y_{t-1} + x_t) / n_t,  n_t = n_{t-1} + 1;  n = 0 before a start
inline Found running_mean(const Given& given) {
  Found found(given);
  const Index time = given.time();
  Matrix<double> n(1, time);
  const Vector none = Vector::Zero(1);
  for (Index t = 0; t < time; ++t) {
    const double n_before = given.before("count", n, t, none)(0);
    n(0, t) = n_before + 1;
    found.y.col(t) = (n_before * given.before("mean", found.y, t) + given.x.col(t)) / n(0, t);
  }
  Vector dy = given.dlast.at("mean"), dn = given.dlast.at("count");
  for (Index t = time; t-- > 0;) {
    const double n_before = given.before("count", n, t, none)(0);
    const Vector before = given.before("mean", found.y, t);
    dy += given.dy.col(t);
    found.dx.col(t) = dy / n(0, t);
    dn(0) += dy.dot(before - found.y.col(t)) / n(0, t);
    dy *= n_before / n(0, t);
    if (given.start(t)) dy.setZero(), dn.setZero();
  }
  found.state = {{"mean", found.y.col(time - 1)}, {"count", n.col(time - 1)}};
  found.dstate = {{"mean", dy}, {"count", dn}};
  return found;
}

/// y_t = max(y_{t-1}, x_t);  the gradient goes to the first frame that is as large.
inline Found running_max(const Given& given) {
  Found found(given);
  const Index features = given.x.rows(), time = given.time();
  Vector dfirst = Vector::Zero(features);
  for (Index i = 0; i < features; ++i) {
    double largest = given.state.at("largest")(i, 0);
    double* gradient = &dfirst(i);  // of what is the largest so far
    for (Index t = 0; t < time; ++t) {
      if (given.start(t) || given.x(i, t) > largest) {
        largest = given.x(i, t);
        gradient = &found.dx(i, t);
      }
      found.y(i, t) = largest;
      *gradient += given.dy(i, t);
    }
    *gradient += given.dlast.at("largest")(i, 0);
  }
  found.state["largest"] = found.y.col(time - 1);
  found.dstate["largest"] = dfirst;
  return found;
}

}  // namespace minrnn::reference
