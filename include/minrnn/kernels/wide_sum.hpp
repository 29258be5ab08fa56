// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// The sum of term(i) over i in [0, n) in double, whatever the scalar of the terms. Eight sums stand side by side, so
/// that an addition need not wait for the one before and a compiler can use packets; their order depends on n alone.
template <class Term>
double sum_in_double(Index n, Term&& term) {
  constexpr Index kSums = 8;
  double sums[kSums] = {};
  Index i = 0;
  for (; i + kSums <= n; i += kSums)
    for (Index j = 0; j < kSums; ++j) sums[j] += term(i + j);
  for (Index j = 0; i + j < n; ++j) sums[j] += term(i + j);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace minrnn::detail
