// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = table(:, token_t), the tokens as x (1, T)
inline Found embedding(const Given& given) {
  Found found(given);
  for (Index t = 0; t < given.time(); ++t) {
    const Index token = static_cast<Index>(given.x(0, t));
    found.y.col(t) = given["table"].col(token);
    found.d("table").col(token) += given.dy.col(t);
  }
  return found;
}

}  // namespace minrnn::reference
