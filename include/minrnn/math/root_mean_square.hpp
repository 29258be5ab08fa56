// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// 1 / sqrt(mean(x^2) + epsilon) of the features of a frame, also where their squares are beyond the range of S.
template <class S>
S reciprocal_root_mean_square(Row<const S> x, Index features, S epsilon) {
  const auto sum_of_squares = [&](S scale) {
    Packet<S> squares(S(0));
    for_lanes<S>(features, [&](auto i) { squares = fma(x[i] * scale, x[i] * scale, squares); });
    return squares.sum();
  };
  const S count = static_cast<S>(features), sum = sum_of_squares(1);
  if (sum <= (std::numeric_limits<S>::max)()) [[likely]]
    return 1 / std::sqrt(sum / count + epsilon);
  // Squares of numbers that are smaller by a power of two, beside which epsilon is nothing.
  constexpr S kSmaller = std::is_same_v<S, float> ? S(0x1p-70) : S(0x1p-540);
  return kSmaller / std::sqrt(sum_of_squares(kSmaller) / count);
}

}  // namespace minrnn::detail
