// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/packet_bits.hpp"

/// Activations and their derivatives on packets of float or double. Each is finite for every finite argument.
/// Errors are the largest measured against long double over the range named (tests/math/activation_test.cpp).
namespace minrnn {

namespace detail {
/// Adding it to a float of up to 2^22 leaves the integer next to that float, plus 127, in the lowest bits of the sum.
inline constexpr float kShifter = 12582912.0f + 127;

/// x = n log 2 + r with an integer n and |r| <= log(2) / 2.
///   exp(x) = 2^n (1 + tail), tail = exp(r) - 1 by a polynomial of degree 6 in r; for |x| < 2.9e6
template <int N>
struct ReducedExp {
  Packet<float, N> shifted, n, tail;  // shifted: n as `float_of_exponent` takes it; both rounded as they are written

  MINRNN_INLINE explicit ReducedExp(Packet<float, N> x) {
    using P = Packet<float, N>;
    const P shifter(kShifter);
    shifted = as_written(fma(x, P(1.44269504088896341f), shifter));
    n = as_written(shifted - shifter);
    // log 2 in two parts, the first of few bits: n times it is exact.
    const P r = fma(n, P(2.12194440e-4f), as_written(fma(n, P(-0.693359375f), x))), square = r * r;
    // Even and odd powers apart: half as long a chain. Coefficients: least largest relative error, 3e-9.
    const P even = fma(fma(P(1.3820107561e-3f), square, P(4.1668273509e-2f)), square, P(4.9999994040e-1f));
    const P odd = fma(P(8.3686849102e-3f), square, P(1.6666521132e-1f));
    tail = fma(fma(odd, r, even), square, r);
  }
};

/// exp of an x within the range where it is a normal number, or for floats n = -127.
template <class S, int N>
MINRNN_INLINE Packet<S, N> exp_within_range(Packet<S, N> x) {
  if constexpr (kHasBits<S>) {
    const ReducedExp<N> e(x);
    const Packet<S, N> power = float_of_exponent(e.shifted);
    // The same bits; but without a fused operation tail * power may be no normal number although the result is.
    if constexpr (kHasFma)
      return fma(e.tail, power, power);
    else
      return (e.tail + 1.0f) * power;
  } else {
    return eigen_exp(x);
  }
}
/// The largest x of which `exp` is finite, rounded down.
template <class S>
inline constexpr S kMostOfExp = std::is_same_v<S, float> ? S(88.376) : S(709.78);

/// exp of an x of at most kMostOfExp, or NaN.
template <class S, int N>
MINRNN_INLINE Packet<S, N> exp_of_bounded(Packet<S, N> x) {
  using P = Packet<S, N>;
  // The least is next to 2^-127, which `float_of_exponent` takes for 0.
  if constexpr (kHasBits<S>) {
    return exp_within_range(maximum(x, P(S(-88.03))));
  } else {
    const P least(std::is_same_v<S, float> ? S(-87.33) : S(-708.39));
    return select(x < least, P(S(0)), exp_within_range(maximum(x, least)));
  }
}
}  // namespace detail

/// exp(x): 0, or a denormal number, below the smallest normal one; the largest power that is finite, not infinity,
/// above the range. exp(-inf) = 0, and NaN stays NaN. Relative error: 1.2 eps.
template <class S, int N>
MINRNN_INLINE Packet<S, N> exp(Packet<S, N> x) {
  return detail::exp_of_bounded(minimum(x, Packet<S, N>(detail::kMostOfExp<S>)));
}

/// factor * x, and 0 where the factor is 0 whatever x is: the product with a gate that is shut, where x may be the
/// overflow of numbers that the gate, met first, would have made nothing.
template <class S, int N>
MINRNN_INLINE Packet<S, N> gated(Packet<S, N> factor, Packet<S, N> x) {
  const Packet<S, N> zero(S(0));
  return select(factor == zero, zero, factor * x);
}

/// sigmoid(x) and sigmoid(-x) = 1 - sigmoid(x), each to full relative precision, for one exponential and one division.
template <class S, int N>
struct SigmoidPair {
  Packet<S, N> value, complement;
  Packet<S, N> smaller;  // of the two
};

/// From e = exp(-|x|) and 1 / (1 + e).
template <class S, int N>
MINRNN_INLINE SigmoidPair<S, N> sigmoid_pair_of(Packet<S, N> x, Packet<S, N> e, Packet<S, N> larger) {
  const Packet<S, N> smaller = e * larger, negative = x < S(0);
  return {select(negative, smaller, larger), select(negative, larger, smaller), smaller};
}
template <class S, int N>
MINRNN_INLINE SigmoidPair<S, N> sigmoid_pair(Packet<S, N> x) {
  const Packet<S, N> e = detail::exp_of_bounded(-absolute(x));
  return sigmoid_pair_of(x, e, Packet<S, N>(S(1)) / (e + S(1)));
}

/// sigmoid(x) = 1 / (1 + exp(-x)). Relative error: 1.8 eps.
template <class S, int N>
MINRNN_INLINE Packet<S, N> sigmoid(Packet<S, N> x) {
  return sigmoid_pair(x).value;
}
/// dL/dx = ds s (1 - s) from s = sigmoid(x) and ds = dL/ds.
/// A rounded s has lost what 1 - s is near 1. Relative error: 3 eps for x <= 0, and above eps / (1 - s): all of it
/// from x = 17 (float) or 37 (double) on. Where that matters, `sigmoid_pair` gives both factors to full precision.
template <class S, int N>
MINRNN_INLINE Packet<S, N> sigmoid_adjoint(Packet<S, N> s, Packet<S, N> ds) {
  return ds * s * (Packet<S, N>(S(1)) - s);
}

/// tanh(x). Odd, and exact in sign. Relative error: 1.2 eps.
///   |x| < 0.625: a polynomial (float) or a quotient of polynomials (double) in x^2;  else 1 - 2 / (exp(2 |x|) + 1)
/// Source  Moshier, Cephes Mathematical Library, tanhf and tanh: the coefficients.
template <class S, int N>
MINRNN_INLINE Packet<S, N> tanh(Packet<S, N> x) {
  using P = Packet<S, N>;
  const P magnitude = absolute(x), square = x * x;
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
  const P inner = fma(x * square, correction, x);
  const P outer = P(S(1)) - P(S(2)) / (exp(magnitude + magnitude) + S(1));
  return select(magnitude < P(S(0.625)), inner, select(x < P(S(0)), -outer, outer));
}
/// tanh'(x) = 1 - y^2 from y = tanh(x), which has lost what 1 - y^2 is near 1. Error: 1.2 eps, relative to 1.
template <class S, int N>
MINRNN_INLINE Packet<S, N> tanh_slope(Packet<S, N> y) {
  return fma(-y, y, Packet<S, N>(S(1)));
}

/// g(x) = x + 1/2 for x >= 0, sigmoid(x) for x < 0: the positive candidate of the paper. g(0) = 1/2.
/// Relative error: 1.7 eps.
/// Source  Feng et al. 2024, appendix B.
template <class S, int N>
MINRNN_INLINE Packet<S, N> positive_candidate(Packet<S, N> x) {
  const Packet<S, N> e = detail::exp_of_bounded(minimum(x, Packet<S, N>(S(0))));
  return select(x < Packet<S, N>(S(0)), e / (e + S(1)), x + S(0.5));
}
/// g'(x) from g: 1 for g >= 1/2 (at the corner the slope from the right), g (1 - g) below.
template <class S, int N>
MINRNN_INLINE Packet<S, N> positive_candidate_slope(Packet<S, N> g) {
  return select(g < Packet<S, N>(S(0.5)), g * (Packet<S, N>(S(1)) - g), Packet<S, N>(S(1)));
}

/// relu(x) = max(x, 0).
template <class S, int N>
MINRNN_INLINE Packet<S, N> relu(Packet<S, N> x) {
  const Packet<S, N> zero(S(0));
  return select(x < zero, zero, x);
}
/// dL/dx from y = relu(x) and dy = dL/dy: dy where y > 0, else 0 whatever dy is; at the corner the slope from the left.
template <class S, int N>
MINRNN_INLINE Packet<S, N> relu_adjoint(Packet<S, N> y, Packet<S, N> dy) {
  const Packet<S, N> zero(S(0));
  return select(zero < y, dy, zero);
}

/// prelu(x) = x for x > 0, alpha x elsewhere.
template <class S, int N>
MINRNN_INLINE Packet<S, N> prelu(Packet<S, N> x, Packet<S, N> alpha) {
  return select(Packet<S, N>(S(0)) < x, x, alpha * x);
}
/// Its derivatives by x, at the corner from the left, and by alpha.
template <class S, int N>
struct PreluSlopes {
  Packet<S, N> by_x, by_alpha;
};
template <class S, int N>
MINRNN_INLINE PreluSlopes<S, N> prelu_slopes(Packet<S, N> x, Packet<S, N> alpha) {
  const Packet<S, N> zero(S(0));
  const auto above = zero < x;
  return {select(above, Packet<S, N>(S(1)), alpha), select(above, zero, x)};
}

/// elu(x) = x for x >= 0, exp(x) - 1 below: 2 t / (1 - t) with t = tanh(x / 2), in which nothing cancels near 0.
/// Relative error: 4 eps.
/// Source  Clevert, Unterthiner and Hochreiter 2015, "Fast and accurate deep network learning by exponential linear
///         units", with alpha = 1
template <class S, int N>
MINRNN_INLINE Packet<S, N> elu(Packet<S, N> x) {
  const Packet<S, N> t = tanh(x * S(0.5));
  return select(x < Packet<S, N>(S(0)), (t + t) / (Packet<S, N>(S(1)) - t), x);
}
/// elu'(x) from y = elu(x): 1 for x >= 0, exp(x) = 1 + y below. Error: 2 eps, relative to 1.
template <class S, int N>
MINRNN_INLINE Packet<S, N> elu_slope(Packet<S, N> y) {
  return select(y < Packet<S, N>(S(0)), y + S(1), Packet<S, N>(S(1)));
}

/// GELU in its tanh form, and its derivative.
///   gelu(x) = x s(u) with u = 2 sqrt(2 / pi) (x + 0.044715 x^3) and s the sigmoid, since (1 + tanh(v)) / 2 = s(2 v)
///   gelu'(x) = s + x s (1 - s) u'
/// Relative error: 9 eps for x >= -3.
/// Source  Hendrycks and Gimpel 2016, "Gaussian error linear units".
template <class S, int N>
struct Gelu {
  Packet<S, N> value, derivative;
};

template <class S, int N>
MINRNN_INLINE Gelu<S, N> gelu(Packet<S, N> x) {
  using P = Packet<S, N>;
  const P scale(S(1.5957691216057307117597842397375275));  // 2 sqrt(2 / pi)
  // Beyond 22 the sigmoid is 0 or 1 to the last bit and u' would only overflow.
  const P y = minimum(maximum(x, P(S(-22))), P(S(22)));
  const P square = y * y;
  const auto [s, complement, smaller] = sigmoid_pair(scale * y * fma(P(S(0.044715)), square, P(S(1))));
  const P slope = scale * fma(P(S(3 * 0.044715)), square, P(S(1)));
  return {x * s, fma(y * s * complement, slope, s)};
}

/// SiLU, x sigmoid(x); derivative s (1 + x (1 - s)).
template <class S, int N>
struct Silu {
  Packet<S, N> value, derivative;
};

template <class S, int N>
MINRNN_INLINE Silu<S, N> silu(Packet<S, N> x) {
  const auto [s, complement, smaller] = sigmoid_pair(x);
  return {x * s, s * fma(x, complement, Packet<S, N>(S(1)))};
}

}  // namespace minrnn
