// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/math/half.hpp"

/// How a weight becomes one of 16 or 8 bits, one number at a time: `Quantised` says with what error.
namespace minrnn::detail {

/// Whether a weight may be stored: it must be finite, also in 16 bits.
template <class S>
bool fits(WeightFormat format, S w) {
  constexpr double kLargestOfBf16 = 0x1.fep127;
  const double number = static_cast<double>(w);
  return is_finite(number) && (format == WeightFormat::int8 || (std::abs)(number) <= kLargestOfBf16);
}
inline const char* wanted_of(WeightFormat format) {
  return format == WeightFormat::int8 ? "finite numbers" : "numbers that are finite in 16 bits";
}

/// The scale of n weights w(i) of 8 bits, max |w| / 127. Weights that are all zero, or so little that a scale has no
/// inverse, become zeros.
template <class S, class Weights>
S int8_scale(Index n, const Weights& w) {
  S most(0);
  for (Index i = 0; i < n; ++i) most = std::max<S>(most, (std::abs)(w(i)));
  return std::max<S>(most / S(127), (std::numeric_limits<S>::min)());
}
/// w / scale, to the nearest.
template <class S>
std::int8_t int8_of(S w, S scale) {
  return static_cast<std::int8_t>(std::nearbyint(static_cast<double>(w) / static_cast<double>(scale)));
}
template <class S>
std::uint16_t bf16_of(S w) {
  return bf16_from_double(static_cast<double>(w));
}

}  // namespace minrnn::detail
