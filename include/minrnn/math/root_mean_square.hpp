// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// What numbers are multiplied by whose squares are beyond the range of S: a power of two, beside whose squares an
/// epsilon is nothing.
template <class S>
inline constexpr S kForSquares = std::is_same_v<S, float> ? S(0x1p-70) : S(0x1p-540);

/// 1 / sqrt(mean(x^2) + epsilon) of the features of a frame, also where their squares are beyond the range of S.
template <class S>
S reciprocal_root_mean_square(Row<const S> x, Index features, S epsilon) {
  const auto sum_of_squares = [&](auto&& scaled) {
    Packet<S> squares(S(0));
    for_lanes<S>(features, [&](auto i) {
      const Packet<S> number = scaled(x[i]);
      squares = fma(number, number, squares);
    });
    return squares.sum();
  };
  const S count = static_cast<S>(features), sum = sum_of_squares([](Packet<S> number) { return number; });
  if (is_finite(sum)) [[likely]]
    return 1 / std::sqrt(sum / count + epsilon);
  constexpr S kSmaller = kForSquares<S>;
  const S smaller = sum_of_squares([](Packet<S> number) { return as_written(number * kSmaller); });
  return kSmaller / std::sqrt(smaller / count);
}

}  // namespace minrnn::detail
