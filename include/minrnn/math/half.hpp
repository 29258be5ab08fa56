// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "minrnn/core/bit_cast.hpp"
#include "minrnn/core/floating_point.hpp"

namespace minrnn {

/// Numbers of 16 bits, from and to float. They are for storage: nothing is computed in them here.
///
/// Equations   a number of s (1 bit), e and m is (-1)^s 2^(e - bias) (1 + m / 2^k), and (-1)^s 2^(1 - bias) m / 2^k
///             where e = 0; the largest e with m = 0 is infinity, and with another m no number (NaN)
///             F16: e of 5 bits, bias 15, k = 10, up to 65504;  BF16: e of 8 bits, bias 127, k = 7, the upper half of a
///             float
/// Rounding    to float nothing is rounded. From float to the nearest, of two equally near to the one that is even;
///             what rounds beyond the largest becomes infinity, infinity stays itself, a NaN stays one and keeps its
///             sign and the upper bits of m. From double rounded once, not first to float.
/// Speed       none of the functions of float branches or calls, so that compilers make packets of a loop of them
///             (those of F16 need shifts of different lengths, as AVX2 has). Neither the rounding mode nor the flushing
///             of small numbers to zero changes what they give: all is done in integers. From double to BF16 what is no
///             normal float becomes 0 where a processor flushes such numbers.
/// Source      IEEE 754-2019, binary16 and round to nearest, ties to even; bfloat16: Kalamkar et al. 2019,
///             arXiv:1905.12322
inline float float_from_bf16(std::uint16_t bits) { return detail::bit_cast<float>(std::uint32_t{bits} << 16); }

inline std::uint16_t bf16_from_float(float x) {
  const std::uint32_t bits = detail::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = bits >> 16 | 0x40u;
  return static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

inline float float_from_f16(std::uint16_t bits) {
  const std::uint32_t magnitude = bits & 0x7fffu, sign = (bits & 0x8000u) << 16;
  const std::uint32_t normal = (magnitude << 13) + ((127u - 15u) << 23);
  const std::uint32_t infinite_or_nan = magnitude << 13 | 0x7f800000u;
  const auto units = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24f;
  const std::uint32_t finite = magnitude < 0x400u ? detail::bit_cast<std::uint32_t>(units) : normal;
  return detail::bit_cast<float>(sign | (magnitude >= 0x7c00u ? infinite_or_nan : finite));
}

inline std::uint16_t f16_from_float(float x) {
  const std::uint32_t bits = detail::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7fffffffu, sign = bits >> 16 & 0x8000u;
  // From 2^-14 on: the exponent has another bias, and 13 bits are rounded away; a carry into the exponent is right.
  const std::uint32_t moved = magnitude - ((127u - 15u) << 23);
  const std::uint32_t rounded = (moved + 0xfffu + ((moved >> 13) & 1u)) >> 13;
  const std::uint32_t normal = rounded < 0x7c00u ? rounded : 0x7c00u;
  // Below: units of 2^-24. The shift is 14 at 2^-14 and one more for each power of two below; from 25 on nothing is
  // left.
  const std::uint32_t lacking = 126u - (magnitude >> 23);
  const std::uint32_t shift = magnitude >> 23 > 112u ? 14u : lacking < 25u ? lacking : 25u;
  const std::uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  const std::uint32_t odd = (mantissa >> shift) & 1u;
  const std::uint32_t subnormal = (mantissa + (1u << (shift - 1u)) - 1u + odd) >> shift;
  const std::uint32_t finite = magnitude < ((127u - 14u) << 23) ? subnormal : normal;
  const std::uint32_t nan = 0x7e00u | (magnitude >> 13 & 0x3ffu);
  return static_cast<std::uint16_t>(sign | (magnitude > 0x7f800000u ? nan : finite));
}

namespace detail {
/// A double as a float that rounds to 16 bits as the double does: cut, and odd where that was not exact. Of the 24 bits
/// at least 12 are beyond those that stay, so that the last one only says that something is there.
inline float cut_to_odd(double x) {
  const float y = static_cast<float>(x);
  const auto wide = static_cast<double>(y);
  if (is_nan(x) || wide == x) return y;
  const bool too_large = x < 0 ? wide < x : wide > x;
  return detail::bit_cast<float>((detail::bit_cast<std::uint32_t>(y) - (too_large ? 1u : 0u)) | 1u);
}
}  // namespace detail

inline std::uint16_t bf16_from_double(double x) { return bf16_from_float(detail::cut_to_odd(x)); }
inline std::uint16_t f16_from_double(double x) { return f16_from_float(detail::cut_to_odd(x)); }

}  // namespace minrnn
