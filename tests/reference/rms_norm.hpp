// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = gain n_t,  n_t = x_t r_t,  r_t = 1 / sqrt(mean(x_t^2) + epsilon)
inline Found rms_norm(const Given& given, double epsilon) {
  Found found(given);
  const Index features = given.x.rows();
  for (Index t = 0; t < given.time(); ++t) {
    double square = 0, mean = 0;
    for (Index i = 0; i < features; ++i) square += given.x(i, t) * given.x(i, t) / static_cast<double>(features);
    const double r = 1 / std::sqrt(square + epsilon);
    for (Index i = 0; i < features; ++i) {
      const double n = given.x(i, t) * r, u = given["gain"](i, 0) * given.dy(i, t);
      found.y(i, t) = given["gain"](i, 0) * n;
      found.d("gain")(i, 0) += given.dy(i, t) * n;
      mean += u * n / static_cast<double>(features);
    }
    for (Index i = 0; i < features; ++i)
      found.dx(i, t) = r * (given["gain"](i, 0) * given.dy(i, t) - given.x(i, t) * r * mean);
  }
  return found;
}

}  // namespace minrnn::reference
