// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = W x_t + b
inline Found linear(const Given& given) {
  Found found(given);
  for (Index t = 0; t < given.time(); ++t) {
    found.y.col(t) = affine(given, "w", "b", given.x.col(t));
    found.dx.col(t) = affine_adjoint(given, found, "w", "b", given.x.col(t), given.dy.col(t));
  }
  return found;
}

}  // namespace minrnn::reference
