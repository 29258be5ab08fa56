// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

/// Quotients and roots of native packets that are rounded once, where a target has no instruction for them, or where a
/// compiler that is told to be fast (-ffast-math) leaves it out. What stands there otherwise is the product with an
/// approximate reciprocal: off by up to 4e-6, and 0 where the divisor is so large that its reciprocal is no normal
/// number, as 1 + exp(88) is.
namespace minrnn::detail {

// No others: clang would convert packets of double into packets of float, bit for bit.
template <class Native>
Native true_quotient(Native, Native) = delete;
template <class Native>
Native true_root(Native) = delete;

#if defined(__GNUC__) && defined(__SSE__) && (defined(__FAST_MATH__) || defined(__RECIPROCAL_MATH__))

#ifdef __AVX__
MINRNN_INLINE __m128 true_quotient(__m128 x, __m128 y) {
  __asm__("{vdivps %1, %0, %0|vdivps %0, %0, %1}" : "+x"(x) : "x"(y));
  return x;
}
MINRNN_INLINE __m256 true_quotient(__m256 x, __m256 y) {
  __asm__("{vdivps %1, %0, %0|vdivps %0, %0, %1}" : "+x"(x) : "x"(y));
  return x;
}
#else
MINRNN_INLINE __m128 true_quotient(__m128 x, __m128 y) {
  __asm__("{divps %1, %0|divps %0, %1}" : "+x"(x) : "x"(y));
  return x;
}
#endif
#ifdef __AVX512F__
MINRNN_INLINE __m512 true_quotient(__m512 x, __m512 y) {
  __asm__("{vdivps %1, %0, %0|vdivps %0, %0, %1}" : "+v"(x) : "v"(y));
  return x;
}
#endif

#elif defined(__GNUC__) && defined(__ARM_NEON) && !defined(__aarch64__)

// NEON of 32 bits has no division and no root. Compilers take the operator on the scalars, one after the other.
MINRNN_INLINE float32x2_t true_quotient(float32x2_t x, float32x2_t y) { return x / y; }
MINRNN_INLINE float32x4_t true_quotient(float32x4_t x, float32x4_t y) { return x / y; }
MINRNN_INLINE float32x2_t true_root(float32x2_t x) { return float32x2_t{__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1])}; }
MINRNN_INLINE float32x4_t true_root(float32x4_t x) {
  return float32x4_t{__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), __builtin_sqrtf(x[3])};
}

#endif

}  // namespace minrnn::detail
