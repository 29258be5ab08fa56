// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>

#include "minrnn/core/types.hpp"

namespace minrnn::reference {

/// The listing of Feng et al. 2024, appendix B, `parallel_scan_log`: log_coeffs (H, T), log_values (H, T + 1), whose
/// first column is log h_0; returns h (H, T). Here only to be compared with: its difference of cumulative sums loses
/// digits in proportion to T.
template <class S>
Matrix<S> published_log_scan(const Matrix<S>& log_coeffs, const Matrix<S>& log_values) {
  const Index features = log_coeffs.rows(), time = log_coeffs.cols();
  Matrix<S> h(features, time);
  for (Index i = 0; i < features; ++i) {
    S a_star = 0;                                     // cumsum(log_coeffs), padded by one zero in front
    S running = -std::numeric_limits<S>::infinity();  // logcumsumexp(log_values - a_star)
    for (Index t = 0; t <= time; ++t) {
      if (t > 0) a_star += log_coeffs(i, t - 1);
      const S term = log_values(i, t) - a_star, larger = std::max(running, term), smaller = std::min(running, term);
      running = larger + std::log1p(std::exp(smaller - larger));
      if (t > 0) h(i, t - 1) = std::exp(a_star + running);
    }
  }
  return h;
}

}  // namespace minrnn::reference
