// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = gain n_t + bias,  n_t = (x_t - mean(x_t)) r_t,  r_t = 1 / sqrt(variance(x_t) + epsilon)
inline Found layer_norm(const Given& given, bool has_bias, double epsilon) {
  Found found(given);
  const Index features = given.x.rows();
  for (Index t = 0; t < given.time(); ++t) {
    const Vector x = given.x.col(t), dy = given.dy.col(t);
    const Vector centred = x.array() - x.mean();
    const double r = 1 / std::sqrt(centred.squaredNorm() / static_cast<double>(features) + epsilon);
    const Vector n = centred * r;
    double mean_u = 0, mean_un = 0;
    for (Index i = 0; i < features; ++i) {
      const double u = given["gain"](i, 0) * dy(i);
      found.y(i, t) = given["gain"](i, 0) * n(i) + (has_bias ? given["bias"](i, 0) : 0);
      found.d("gain")(i, 0) += dy(i) * n(i);
      if (has_bias) found.d("bias")(i, 0) += dy(i);
      mean_u += u / static_cast<double>(features);
      mean_un += u * n(i) / static_cast<double>(features);
    }
    for (Index i = 0; i < features; ++i) found.dx(i, t) = r * (given["gain"](i, 0) * dy(i) - mean_u - n(i) * mean_un);
  }
  return found;
}

}  // namespace minrnn::reference
