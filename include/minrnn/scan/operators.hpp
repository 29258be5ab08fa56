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
template <class S>
struct Affine {
  Packet<S> a, b;

  static constexpr S identity_a = 1, identity_b = 0;
  MINRNN_INLINE Packet<S> operator()(Packet<S> h) const { return fma(a, h, b); }
  MINRNN_INLINE Affine then(const Affine& next) const { return {next.a * a, fma(next.a, b, next.b)}; }

  /// What the scan carries is h itself.
  MINRNN_INLINE static Packet<S> carried(Packet<S> h) { return h; }
  MINRNN_INLINE static Packet<S> value(Packet<S> carried) { return carried; }
};

/// The same map of positive numbers by their logarithms, log h -> log(exp(log a + log h) + exp(log b)).
/// (A1, B1) then (A2, B2) = (A1 + A2, log_add_exp(B1 + A2, B2)); identity (0, -inf). Exact at log a = -inf, which forgets.
template <class S>
struct LogAffine {
  Packet<S> a, b;  // log a, log b

  static constexpr S identity_a = 0, identity_b = -std::numeric_limits<S>::infinity();
  MINRNN_INLINE Packet<S> operator()(Packet<S> log_h) const { return log_add_exp(a + log_h, b); }
  MINRNN_INLINE LogAffine then(const LogAffine& next) const { return {a + next.a, log_add_exp(b + next.a, next.b)}; }

  /// What the scan carries is log h; a state always holds h. Rather than overflow, h stays at the largest power of e.
  MINRNN_INLINE static Packet<S> carried(Packet<S> h) {
    return select(h < Packet<S>(std::numeric_limits<S>::min()), Packet<S>(identity_b), log(h));
  }
  MINRNN_INLINE static Packet<S> value(Packet<S> log_h) { return exp(min(log_h, Packet<S>(kLargest))); }

 private:
  static constexpr S kLargest = std::is_same_v<S, float> ? S(88.0) : S(709.0);
};

}  // namespace minrnn
