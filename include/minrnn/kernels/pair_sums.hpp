// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

#if defined(EIGEN_DONT_VECTORIZE)
#elif defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Sixteen sums of 32 bits: of row r, of two numbers of 8 bits times two of 16 at a time, w(r, k) x(k) + w(r, k + 1)
/// x(k + 1). Beyond 32 bits they wrap around. Integers are the same whatever computes them; here that is
///   AVX-512 with or without VNNI, AVX2, SSE2, or plain loops.
/// kTogether of them side by side keep the processor busy.
namespace minrnn::detail {

template <Index rows>
class PlainPairSums {
 public:
  static constexpr int kTogether = 1;

  struct Weights {
    MINRNN_INLINE explicit Weights(const std::int8_t* w) : pairs(w) {}
    const std::int8_t* pairs;
  };

  MINRNN_INLINE void add(const Weights& w, const std::int16_t* x) {
    const std::int32_t first = x[0], second = x[1];
    const auto add_row = [&](Index r) MINRNN_INLINE_LAMBDA {
      sums_[r] += static_cast<std::uint32_t>(w.pairs[2 * r] * first + w.pairs[2 * r + 1] * second);
    };
    if constexpr (rows <= 4)  // which stay in registers, where the compiler sees that
      unroll<int{rows}>(add_row);
    else
      for (Index r = 0; r < rows; ++r) add_row(r);
  }
  MINRNN_INLINE void add(const PlainPairSums& other) {
    for (Index r = 0; r < rows; ++r) sums_[r] += other.sums_[r];
  }
  MINRNN_INLINE void store(std::int32_t* to) const { std::memcpy(to, sums_, sizeof sums_); }

 private:
  std::uint32_t sums_[std::size_t{rows}] = {};
};

#if !defined(EIGEN_DONT_VECTORIZE) && defined(__AVX512BW__)

class PairSums {
 public:
  static constexpr int kTogether = 8;

  struct Weights {
    MINRNN_INLINE explicit Weights(const std::int8_t* w)
        : pairs(_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)))) {}
    __m512i pairs;
  };

  MINRNN_INLINE void add(const Weights& w, const std::int16_t* x) {
    std::int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
#ifdef __AVX512VNNI__
    sums_ = _mm512_dpwssd_epi32(sums_, w.pairs, _mm512_set1_epi32(pair));
#else
    sums_ = _mm512_add_epi32(sums_, _mm512_madd_epi16(w.pairs, _mm512_set1_epi32(pair)));
#endif
  }
  MINRNN_INLINE void add(const PairSums& other) { sums_ = _mm512_add_epi32(sums_, other.sums_); }
  MINRNN_INLINE void store(std::int32_t* to) const { _mm512_storeu_si512(to, sums_); }

 private:
  __m512i sums_ = _mm512_setzero_si512();
};

#elif !defined(EIGEN_DONT_VECTORIZE) && defined(__AVX2__)

class PairSums {
 public:
  static constexpr int kTogether = 4;

  struct Weights {
    MINRNN_INLINE explicit Weights(const std::int8_t* w) : low(widened(w)), high(widened(w + 16)) {}
    MINRNN_INLINE static __m256i widened(const std::int8_t* w) {
      return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
    }
    __m256i low, high;  // of 8 rows each
  };

  MINRNN_INLINE void add(const Weights& w, const std::int16_t* x) {
    std::int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
    const __m256i pairs = _mm256_set1_epi32(pair);
    low_ = _mm256_add_epi32(low_, _mm256_madd_epi16(w.low, pairs));
    high_ = _mm256_add_epi32(high_, _mm256_madd_epi16(w.high, pairs));
  }
  MINRNN_INLINE void add(const PairSums& other) {
    low_ = _mm256_add_epi32(low_, other.low_);
    high_ = _mm256_add_epi32(high_, other.high_);
  }
  MINRNN_INLINE void store(std::int32_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), low_);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), high_);
  }

 private:
  __m256i low_ = _mm256_setzero_si256(), high_ = _mm256_setzero_si256();
};

#elif !defined(EIGEN_DONT_VECTORIZE) && defined(__SSE2__)

class PairSums {
 public:
  static constexpr int kTogether = 2;

  struct Weights {
    MINRNN_INLINE explicit Weights(const std::int8_t* w) {
      for (int i = 0; i < 2; ++i) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16 * i));
        pairs[2 * i] = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);  // the byte in the upper half, shifted down
        pairs[2 * i + 1] = _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8);
      }
    }
    __m128i pairs[4];  // of 4 rows each
  };

  MINRNN_INLINE void add(const Weights& w, const std::int16_t* x) {
    std::int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
    for (int i = 0; i < 4; ++i) sums_[i] = _mm_add_epi32(sums_[i], _mm_madd_epi16(w.pairs[i], _mm_set1_epi32(pair)));
  }
  MINRNN_INLINE void add(const PairSums& other) {
    for (int i = 0; i < 4; ++i) sums_[i] = _mm_add_epi32(sums_[i], other.sums_[i]);
  }
  MINRNN_INLINE void store(std::int32_t* to) const {
    for (int i = 0; i < 4; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 4 * i), sums_[i]);
  }

 private:
  __m128i sums_[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
};

#else

using PairSums = PlainPairSums<16>;

#endif

/// Those of the first rows alone, where that is less work.
template <Index rows>
using PairSumsOf = std::conditional_t<std::is_same_v<PairSums, PlainPairSums<16>>, PlainPairSums<rows>, PairSums>;

}  // namespace minrnn::detail
