// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/packet.hpp"

/// Activations and their derivatives on packets of float or double. Each is finite for every finite argument.
/// Errors are the largest measured against long double over the range named (tests/math/activation_test.cpp).
namespace minrnn {

namespace detail {
/// 2^n for a float whose lowest bits hold n + 127: a shift takes them to the exponent.
template <class Native>
MINRNN_INLINE Native power_of_two(const Native& n) {
  using namespace Eigen::internal;
  using Integers = typename unpacket_traits<Native>::integer_packet;
  return preinterpret<Native>(plogical_shift_left<23>(preinterpret<Integers>(n)));
}
}  // namespace detail

/// exp(x): 0 below the smallest normal number, the largest power that is finite, not infinity, above the range.
/// exp(-inf) = 0, and NaN stays NaN. Relative error: 1.2 eps.
///   float: 2^n p(r) with n = round(x / log 2), r = x - n log 2 and p a polynomial of degree 7; double: Eigen's pexp
/// Source  Moshier, Cephes Mathematical Library, expf: the coefficients.
template <class S>
MINRNN_INLINE Packet<S> exp(Packet<S> x) {
  using P = Packet<S>;
  constexpr S least = std::is_same_v<S, float> ? S(-87.33) : S(-708.39);
  constexpr S most = std::is_same_v<S, float> ? S(88.376) : S(709.78);
  const P y = min(max(x, P(least)), P(most));
  P result;
  if constexpr (std::is_same_v<S, float> && P::size > 1) {
    // Adding 1.5 * 2^23 leaves the integer in the lowest bits of the mantissa.
    const P shifter(12582912.0f + 127), shifted = fma(y, P(1.44269504088896341f), shifter), n = shifted - shifter;
    const P r = fma(n, P(2.12194440e-4f), fma(n, P(-0.693359375f), y));
    P p = fma(P(1.9875691500e-4f), r, P(1.3981999507e-3f));
    p = fma(p, r, P(8.3334519073e-3f));
    p = fma(p, r, P(4.1665795894e-2f));
    p = fma(p, r, P(1.6666665459e-1f));
    p = fma(p, r, P(5.0000001201e-1f));
    p = fma(p, r * r, r) + 1.0f;
    result = p * P::of(detail::power_of_two(shifted.native));
  } else {
    result = P::of(Eigen::internal::pexp(y.native));
  }
  return select(x < P(least), P(S(0)), result);
}

/// sigmoid(x) and sigmoid(-x) = 1 - sigmoid(x), each to full relative precision, for one exponential and one division.
template <class S>
struct SigmoidPair {
  Packet<S> value, complement;
};

template <class S>
MINRNN_INLINE SigmoidPair<S> sigmoid_pair(Packet<S> x) {
  const Packet<S> e = exp(-abs(x));
  const Packet<S> large = Packet<S>(S(1)) / (e + S(1)), small = e * large;
  const Packet<S> negative = x < Packet<S>(S(0));
  return {select(negative, small, large), select(negative, large, small)};
}

/// sigmoid(x) = 1 / (1 + exp(-x)); derivative s (1 - s). Relative error: 1.8 eps.
template <class S>
MINRNN_INLINE Packet<S> sigmoid(Packet<S> x) {
  return sigmoid_pair(x).value;
}

/// tanh(x); derivative 1 - tanh(x)^2. Odd, and exact in sign. Relative error: 1.2 eps.
///   |x| < 0.625: a polynomial (float) or a quotient of polynomials (double) in x^2;  else 1 - 2 / (exp(2 |x|) + 1)
/// Source  Moshier, Cephes Mathematical Library, tanhf and tanh: the coefficients.
template <class S>
MINRNN_INLINE Packet<S> tanh(Packet<S> x) {
  using P = Packet<S>;
  const P magnitude = abs(x), square = x * x;
  P correction;
  if constexpr (std::is_same_v<S, float>) {
    correction = fma(P(-5.70498872745e-3f), square, P(2.06390887954e-2f));
    correction = fma(correction, square, P(-5.37397155531e-2f));
    correction = fma(correction, square, P(1.33314422036e-1f));
    correction = fma(correction, square, P(-3.33332819422e-1f));
  } else {
    P above = fma(P(-9.64399179425052238628e-1), square, P(-9.92877231001918586564e1));
    above = fma(above, square, P(-1.61468768441708447952e3));
    P below = fma(square + P(1.12811678491632931402e2), square, P(2.23548839060100448583e3));
    below = fma(below, square, P(4.84406305325125486048e3));
    correction = above / below;
  }
  const P near = fma(x * square, correction, x);
  const P far = P(S(1)) - P(S(2)) / (exp(magnitude + magnitude) + S(1));
  return select(magnitude < P(S(0.625)), near, select(x < P(S(0)), -far, far));
}

/// g(x) = x + 1/2 for x >= 0, sigmoid(x) for x < 0: the positive candidate of the paper. g(0) = 1/2.
/// derivative  1 for x >= 0 (the slope from the right at the corner), g (1 - g) for x < 0
/// Relative error: 1.7 eps.
/// Source  Feng et al. 2024, appendix B.
template <class S>
struct PositiveCandidate {
  Packet<S> value, derivative;
};

template <class S>
MINRNN_INLINE PositiveCandidate<S> positive_candidate(Packet<S> x) {
  const Packet<S> e = exp(min(x, Packet<S>(S(0))));
  const Packet<S> reciprocal = Packet<S>(S(1)) / (e + S(1)), s = e * reciprocal;
  const Packet<S> negative = x < Packet<S>(S(0));
  return {select(negative, s, x + S(0.5)), select(negative, s * reciprocal, Packet<S>(S(1)))};
}

/// GELU in its tanh form, and its derivative.
///   gelu(x) = x s(u) with u = 2 sqrt(2 / pi) (x + 0.044715 x^3) and s the sigmoid, since (1 + tanh(v)) / 2 = s(2 v)
///   gelu'(x) = s + x s (1 - s) u'
/// Relative error: 9 eps for x >= -3.
/// Source  Hendrycks and Gimpel 2016, "Gaussian error linear units".
template <class S>
struct Gelu {
  Packet<S> value, derivative;
};

template <class S>
MINRNN_INLINE Gelu<S> gelu(Packet<S> x) {
  using P = Packet<S>;
  const P scale(S(1.5957691216057307117597842397375275));  // 2 sqrt(2 / pi)
  // Beyond 22 the sigmoid is 0 or 1 to the last bit and u' would only overflow.
  const P y = min(max(x, P(S(-22))), P(S(22)));
  const P square = y * y;
  const auto [s, complement] = sigmoid_pair(scale * y * fma(P(S(0.044715)), square, P(S(1))));
  const P slope = scale * fma(P(S(3 * 0.044715)), square, P(S(1)));
  return {x * s, fma(y * s * complement, slope, s)};
}

/// SiLU, x sigmoid(x); derivative s (1 + x (1 - s)).
template <class S>
struct Silu {
  Packet<S> value, derivative;
};

template <class S>
MINRNN_INLINE Silu<S> silu(Packet<S> x) {
  const auto [s, complement] = sigmoid_pair(x);
  return {x * s, s * fma(x, complement, Packet<S>(S(1)))};
}

}  // namespace minrnn
