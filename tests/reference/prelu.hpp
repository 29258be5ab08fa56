// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/given.hpp"

namespace minrnn::reference {

/// y = max(x, 0) + alpha min(x, 0)
inline Found prelu(const Given& given) {
  Found found(given);
  const Matrix<double>& alpha = given["alpha"];
  for (Index t = 0; t < given.time(); ++t)
    for (Index i = 0; i < given.x.rows(); ++i) {
      const double x = given.x(i, t), dy = given.dy(i, t);
      found.y(i, t) = x < 0 ? alpha(i, 0) * x : x;
      found.dx(i, t) = x < 0 ? alpha(i, 0) * dy : dy;
      found.d("alpha")(i, 0) += x < 0 ? x * dy : 0;
    }
  return found;
}

}  // namespace minrnn::reference
