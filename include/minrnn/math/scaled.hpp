// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/packet_bits.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

/// How the recurrence is computed: `linear` on h itself, `log_space` on its logarithm, as `Scaled` numbers, which have
/// no range to leave. With a positive candidate both give the same function.
enum class Arithmetic { linear, log_space };

/// Positive numbers of any magnitude: mantissa * 2^exponent, with an integer exponent of its own.
///
/// It is the logarithm cut in two: its integer part is added and compared, and what remains is multiplied and added as
/// it is. So a recurrence on logarithms needs no exponential and no logarithm of its sums, and keeps full relative
/// precision where a single logarithm of size L keeps L eps.
///
/// Range   of what `scaled_exp` gives: exp(-2.9e6) to exp(1.4e6) in float, exp(-1e15) to exp(5e14) in double. Sums and
///         products of these neither overflow nor underflow; zero is `none`, smaller than all of them
template <class P>
struct Scaled {
  P mantissa, exponent;

  using S = typename P::Scalar;
  static constexpr bool kFloat = std::is_same_v<S, float>;
  static constexpr S kLeastLog = kFloat ? S(-2.9e6) : S(-1e15), kMostLog = kFloat ? S(1.4e6) : S(5e14);

  MINRNN_INLINE static Scaled one() { return {P(S(1)), P(S(0))}; }
  MINRNN_INLINE static Scaled none() { return {P(S(1)), P(kFloat ? S(-8388608.0) : S(-4503599627370496.0))}; }
};

namespace detail {

/// 2^n for integers n up to 127 (float) or 1023 (double); 0 where n is below the range of normal numbers.
template <class S, int N>
MINRNN_INLINE Packet<S, N> exp2_of_integer(Packet<S, N> n) {
  using P = Packet<S, N>;
  if constexpr (kHasBits<S>)
    return float_of_exponent(maximum(n, P(-127.0f)) + kShifter);
  else
    return times_power_of_two(P(S(1)), maximum(n, P(std::is_same_v<S, float> ? S(-200) : S(-1100))));
}

/// The same number with a mantissa in [2, 4) (float) or [1/2, 1). The mantissa must be a normal number.
template <class S, int N>
MINRNN_INLINE Scaled<Packet<S, N>> normalised(const Scaled<Packet<S, N>>& x) {
  if constexpr (kHasBits<S>)
    return {x.mantissa * inverted_exponent(x.mantissa), x.exponent + (biased_exponent(x.mantissa) - 128.0f)};
  else
    return {mantissa_of(x.mantissa), x.exponent + exponent_of(x.mantissa)};
}

}  // namespace detail

template <class P>
MINRNN_INLINE Scaled<P> operator*(const Scaled<P>& x, const Scaled<P>& y) {
  return {x.mantissa * y.mantissa, x.exponent + y.exponent};
}
template <class P>
MINRNN_INLINE Scaled<P> operator*(const Scaled<P>& x, P y) {
  return {x.mantissa * y, x.exponent};
}
template <class P>
MINRNN_INLINE Scaled<P> operator+(const Scaled<P>& x, const Scaled<P>& y) {
  const P exponent = maximum(x.exponent, y.exponent);
  const P scale_x = detail::exp2_of_integer(x.exponent - exponent),
          scale_y = detail::exp2_of_integer(y.exponent - exponent);
  return {fma(x.mantissa, scale_x, y.mantissa * scale_y), exponent};
}
template <class P>
MINRNN_INLINE Scaled<P> select(P mask, const Scaled<P>& then, const Scaled<P>& otherwise) {
  return {select(mask, then.mantissa, otherwise.mantissa), select(mask, then.exponent, otherwise.exponent)};
}

/// exp(x) of any x; exp(-inf) is next to `none`. NaN stays NaN in the mantissa. Relative error: 1.2 eps up to |x| =
/// 1000; beyond, below the |x| eps by which x itself is rounded.
template <class S, int N>
MINRNN_INLINE Scaled<Packet<S, N>> scaled_exp(Packet<S, N> x) {
  using P = Packet<S, N>;
  x = minimum(maximum(x, P(Scaled<P>::kLeastLog)), P(Scaled<P>::kMostLog));
  if constexpr (detail::kHasBits<S>) {
    const detail::ReducedExp<N> e(x);
    return {e.tail + 1.0f, e.n};
  } else {
    const P n = detail::rounded(x * S(1.4426950408889634073599246810019));
    // log 2 in two parts, the first of few bits: n times it is exact.
    const P high(std::is_same_v<S, float> ? S(0.693359375) : S(0.693145751953125));
    const P low(std::is_same_v<S, float> ? S(-2.12194440e-4) : S(1.42860682030941723212e-6));
    const P r = fma(-n, low, detail::as_written(fma(-n, high, x)));
    return {detail::exp_within_range(r), n};
  }
}

/// The number itself: 0 where it is too small for S, and at least a sixteenth of the largest number of S, not infinity,
/// where it is too large.
template <class P>
MINRNN_INLINE P value_of(const Scaled<P>& x) {
  using S = typename P::Scalar;
  const P most(std::is_same_v<S, float> ? S(125) : S(1021));  // a mantissa may be just below 4
  return x.mantissa * detail::exp2_of_integer(minimum(x.exponent, most));
}

/// A number of S >= 0; what is too small to be normal is `none`.
template <class S, int N>
MINRNN_INLINE Scaled<Packet<S, N>> scaled(Packet<S, N> x) {
  using P = Packet<S, N>;
  using Result = Scaled<P>;
  const auto tiny = x < (std::numeric_limits<S>::min)();
  const Result number = detail::normalised(Result{select(tiny, P(S(1)), x), P(S(0))});
  return select(tiny, Result::none(), number);
}

}  // namespace minrnn
