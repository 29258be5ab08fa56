// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "minrnn/math/activation.hpp"

/// Functions of the log-space scan, on packets of float or double. log 0 = -inf is a legal argument wherever a logarithm
/// is expected; no finite argument gives NaN or infinity.
/// Errors are the largest measured against long double (tests/math/log_space_test.cpp).
namespace minrnn {

/// log(1 + u) for u in [0, 1]: 2 artanh(r) with r = u / (2 + u) <= 1/3, by its series in r^2. Relative error: 1.9 eps.
template <class S>
MINRNN_INLINE Packet<S> log1p_of_fraction(Packet<S> u) {
  using P = Packet<S>;
  constexpr int terms = std::is_same_v<S, float> ? 8 : 17;  // the first term left out is below half an ulp at r = 1/3
  const P r = u / (u + S(2)), square = r * r;
  P sum(S(2) / S(2 * terms - 1));
  detail::unroll<terms - 1>([&](auto i) { sum = fma(sum, square, P(S(2) / S(2 * (terms - 1 - i) - 1))); });
  return r * sum;
}

/// log(x) for x >= 0; log(0) = -inf. Denormal numbers count as the smallest normal one. Relative error: 1.1 eps.
template <class S>
MINRNN_INLINE Packet<S> log(Packet<S> x) {
  return Packet<S>::of(Eigen::internal::plog(x.native));
}

/// softplus(x) = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); derivative sigmoid(x). Relative error: 2.1 eps.
/// -softplus(-x) is log sigmoid(x), and -softplus(x) is log(1 - sigmoid(x)).
template <class S>
MINRNN_INLINE Packet<S> softplus(Packet<S> x) {
  return max(x, Packet<S>(S(0))) + log1p_of_fraction(exp(-abs(x)));
}

/// log sigmoid(x) and log sigmoid(-x) for one exponential and one logarithm.
template <class S>
struct LogSigmoidPair {
  Packet<S> value, complement;
};

template <class S>
MINRNN_INLINE LogSigmoidPair<S> log_sigmoid_pair(Packet<S> x) {
  const Packet<S> zero(S(0)), tail = log1p_of_fraction(exp(-abs(x)));
  return {min(x, zero) - tail, min(-x, zero) - tail};
}

/// log g(x) for g the positive candidate: log(x + 1/2) for x >= 0, -softplus(-x) for x < 0.
/// derivative  g'(x) / g(x): 1 / (x + 1/2) for x >= 0 (2 at the corner, the slope from the right), sigmoid(-x) for x < 0
/// Error: 1.5 eps of max(1, |log g|).
template <class S>
MINRNN_INLINE Packet<S> log_positive_candidate(Packet<S> x) {
  const Packet<S> zero(S(0));
  const Packet<S> below = x - log1p_of_fraction(exp(min(x, zero)));
  return select(x < zero, below, log(max(x, zero) + S(0.5)));
}

/// log(exp(a) + exp(b)) = max + log(1 + exp(-|a - b|)); -inf is the neutral element.
/// derivatives  exp(a - y) and exp(b - y), both 0 where y = -inf. Error: 2 eps of max(1, |y|).
template <class S>
MINRNN_INLINE Packet<S> log_add_exp(Packet<S> a, Packet<S> b) {
  const Packet<S> larger = max(a, b), smaller = min(b, a);  // in these orders a NaN of either comes through
  const Packet<S> nothing(-std::numeric_limits<S>::infinity());
  // -inf - -inf is NaN: where the larger is -inf, so is the sum.
  return select(larger == nothing, nothing, larger + log1p_of_fraction(exp(smaller - larger)));
}

}  // namespace minrnn
