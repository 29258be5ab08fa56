// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

namespace minrnn::reference {

/// bias + W X by the definition, in long double.
template <class S>
Matrix<long double> product(const Matrix<S>& w, const Matrix<S>& x, const Matrix<S>* bias = nullptr) {
  Matrix<long double> y(w.rows(), x.cols());
  for (Index i = 0; i < w.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j) {
      long double sum = bias ? static_cast<long double>((*bias)(i, 0)) : 0;
      for (Index k = 0; k < w.cols(); ++k) sum += static_cast<long double>(w(i, k)) * static_cast<long double>(x(k, j));
      y(i, j) = sum;
    }
  return y;
}

}  // namespace minrnn::reference
