// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "minrnn/core/bit_cast.hpp"
#include "minrnn/core/types.hpp"

/// What must hold however a program is compiled. With -ffast-math (-Ofast, -fassociative-math, ...) a compiler computes
/// as if numbers were real: (x + c) - c is x, s (s x) is (s s) x even where s s is out of range, and nothing is NaN.
namespace minrnn::detail {

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
inline constexpr bool kOnlyFinite = true;  // the compiler takes every number for finite
#else
inline constexpr bool kOnlyFinite = false;
#endif

/// Whether a product and a sum of packets are one operation, which rounds once.
#if defined(EIGEN_VECTORIZE_FMA) || defined(__aarch64__) || defined(__ARM_FEATURE_FMA)
inline constexpr bool kHasFma = true;
#else
inline constexpr bool kHasFma = false;
#endif

/// x, of which a compiler knows nothing but that it is in a register: so what comes before is computed as it is
/// written, and what comes after is not merged with it. Costs no instruction. For a scalar or a packet of Eigen's.
template <class T>
MINRNN_INLINE T as_written(T x) {
#if !defined(__GNUC__)  // nor clang: no such compiler is known to change the order of packets' operations
#elif defined(__AVX512F__)
  __asm__("" : "+v"(x));
#elif defined(__SSE2__)
  __asm__("" : "+x"(x));
#elif defined(__aarch64__) || defined(__ARM_NEON)
  __asm__("" : "+w"(x));
#elif defined(__wasm__)
  __asm__("" : "+r"(x));
#else
  __asm__("" : "+m"(x));  // through memory
#endif
  return x;
}

template <class S>
using BitsOf = std::conditional_t<sizeof(S) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;
/// The bits of a magnitude: in the order of the magnitudes, then infinity, then NaN.
template <class S>
MINRNN_INLINE BitsOf<S> magnitude_bits(S x) {
  static_assert(std::is_same_v<S, float> || std::is_same_v<S, double>, "float or double");
  return bit_cast<BitsOf<S>>(as_written(x)) & (~BitsOf<S>{0} >> 1);
}
template <class S>
inline constexpr BitsOf<S> kBitsOfInfinity = (~BitsOf<S>{0} >> 1) >> (std::numeric_limits<S>::digits - 1)
                                                                         << (std::numeric_limits<S>::digits - 1);

/// As std::isfinite and std::isnan, which are true and false with -ffinite-math-only whatever x is.
template <class S>
MINRNN_INLINE bool is_finite(S x) {
  return magnitude_bits(x) < kBitsOfInfinity<S>;
}
template <class S>
MINRNN_INLINE bool is_nan(S x) {
  return magnitude_bits(x) > kBitsOfInfinity<S>;
}

}  // namespace minrnn::detail
