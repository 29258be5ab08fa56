// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"

/// Logarithms of gates, candidates and sums, on packets of float or double: what `log_scan` takes. log 0 = -inf is a
/// legal argument wherever a logarithm is expected; no finite argument gives NaN or infinity.
/// Errors are the largest measured against long double (tests/math/log_space_test.cpp).
namespace minrnn {

/// log(1 + u) for u in [0, 1]: 2 artanh(r) with r = u / (2 + u) <= 1/3, by its series in r^2. Relative error: 1.9 eps.
template <class S, int N>
MINRNN_INLINE Packet<S, N> log1p_of_fraction(Packet<S, N> u) {
  using P = Packet<S, N>;
  constexpr int terms = std::is_same_v<S, float> ? 8 : 17;  // the first term left out is below half an ulp at r = 1/3
  const P r = u / (u + S(2)), square = r * r;
  P sum(S(2) / S(2 * terms - 1));
  detail::unroll<terms - 1>([&](auto i) { sum = fma(sum, square, P(S(2) / S(2 * (terms - 1 - i) - 1))); });
  return r * sum;
}

/// log(x) for x >= 0; log(0) = -inf. Denormal numbers count as the smallest normal one. Relative error: 1.1 eps.
template <class S, int N>
MINRNN_INLINE Packet<S, N> log(Packet<S, N> x) {
  return detail::eigen_log(x);
}

/// softplus(x) = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); derivative sigmoid(x). Relative error: 2.1 eps.
/// -softplus(-x) is log sigmoid(x), and -softplus(x) is log(1 - sigmoid(x)).
template <class S, int N>
MINRNN_INLINE Packet<S, N> softplus(Packet<S, N> x) {
  return maximum(x, Packet<S, N>(S(0))) + log1p_of_fraction(exp(-absolute(x)));
}

/// log g(x) of `positive_candidate`: log(x + 1/2) for x >= 0, x - log(1 + exp(x)) for x < 0.
/// Error: 1.5 eps of max(1, |log g|).
template <class S, int N>
MINRNN_INLINE Packet<S, N> log_positive_candidate(Packet<S, N> x) {
  const Packet<S, N> zero(S(0));
  const auto negative = x < zero;
  // One logarithm for both branches: near 1 it loses relative, not absolute precision, which is all that x - log needs.
  const Packet<S, N> log_g = log(select(negative, exp(minimum(x, zero)) + S(1), x + S(0.5)));
  return select(negative, x - log_g, log_g);
}

/// log(exp(a) + exp(b)) = max + log(1 + exp(-|a - b|)); -inf is the neutral element.
/// derivatives  exp(a - y) and exp(b - y), both 0 where y = -inf. Error: 2 eps of max(1, |y|).
template <class S, int N>
MINRNN_INLINE Packet<S, N> log_add_exp(Packet<S, N> a, Packet<S, N> b) {
  const Packet<S, N> larger = maximum(a, b), smaller = minimum(b, a);  // in these orders a NaN of either comes through
  const Packet<S, N> nothing(detail::as_written(-std::numeric_limits<S>::infinity()));
  // -inf - -inf is NaN: where the larger is -inf, so is the sum.
  return select(larger == nothing, nothing, larger + log1p_of_fraction(exp(smaller - larger)));
}

}  // namespace minrnn
