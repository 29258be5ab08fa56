// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "minrnn/math/log_space.hpp"

/// The two associative operators of a first-order linear recurrence. Sequential, chunked and one-step evaluation are
/// three ways to apply them.
/// Source  Blelloch 1990, "Prefix sums and their applications"; Feng et al. 2024, section 2.3 and appendix B.
namespace minrnn {

/// The map h -> a h + b. `then` composes: (a1, b1) then (a2, b2) = (a2 a1, a2 b1 + b2); identity (1, 0).
template <class P>
struct Affine {
  using S = typename P::Scalar;
  P a, b;

  static constexpr S identity_a = 1, identity_b = 0;
  MINRNN_INLINE P operator()(P h) const { return fma(a, h, b); }
  MINRNN_INLINE Affine then(const Affine& next) const { return {next.a * a, fma(next.a, b, next.b)}; }

  /// What the scan carries is h itself.
  MINRNN_INLINE static P carried(P h) { return h; }
  MINRNN_INLINE static P value(P carried) { return carried; }
};

/// The same map of positive numbers by their logarithms, log h -> log(exp(log a + log h) + exp(log b)).
/// (A1, B1) then (A2, B2) = (A1 + A2, log_add_exp(B1 + A2, B2)); identity (0, -inf). Exact at log a = -inf, which forgets.
template <class P>
struct LogAffine {
  using S = typename P::Scalar;
  P a, b;  // log a, log b

  static constexpr S identity_a = 0, identity_b = -std::numeric_limits<S>::infinity();
  MINRNN_INLINE P operator()(P log_h) const { return log_add_exp(a + log_h, b); }
  MINRNN_INLINE LogAffine then(const LogAffine& next) const { return {a + next.a, log_add_exp(b + next.a, next.b)}; }

  /// What the scan carries is log h; a state always holds h. Rather than overflow, h stays at the largest power of e.
  MINRNN_INLINE static P carried(P h) { return select(h < P(std::numeric_limits<S>::min()), P(identity_b), log(h)); }
  MINRNN_INLINE static P value(P log_h) { return exp(min(log_h, P(kLargest))); }

 private:
  static constexpr S kLargest = std::is_same_v<S, float> ? S(88.0) : S(709.0);
};

}  // namespace minrnn
