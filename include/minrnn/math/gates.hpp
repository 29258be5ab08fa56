// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <limits>
#include <string_view>

#include "minrnn/math/log_space.hpp"

namespace minrnn {

/// The candidate h~ of a minimal cell: `positive` applies g (as published for log space), `plain` is linear.
/// They are different functions, not two ways to compute one.
enum class Candidate { positive, plain };

/// How the recurrence is computed: `linear` on h itself, `log_space` on log h. With a positive candidate both give the
/// same function.
enum class Arithmetic { linear, log_space };

/// Whether the gates of minLSTM are divided by their sum, as in the paper, or used as they are, as in the official code.
enum class GateScaling { normalised, unnormalised };

namespace detail {

/// One step of a minimal cell as its gates give it: h_t = decay h_{t-1} + input, or the logarithms of both factors.
template <class P>
struct Recurrence {
  P decay, input;
};

/// A gate and its complement in one number: the smaller of the two, negative where it is the complement, and not below the
/// smallest normal number, so that it has a sign. Both come back to full relative precision without an exponential.
template <class S, int N>
MINRNN_INLINE Packet<S, N> pack(const SigmoidPair<S, N>& gate) {
  const Packet<S, N> least(std::numeric_limits<S>::min());
  return select(gate.value < gate.complement, max(gate.value, least), -max(gate.complement, least));
}
template <class S, int N>
MINRNN_INLINE SigmoidPair<S, N> unpack(Packet<S, N> packed) {
  const Packet<S, N> small = abs(packed), large = Packet<S, N>(S(1)) - small;
  const auto negative = packed < S(0);
  return {select(negative, large, small), select(negative, small, large)};
}

/// The candidate h~ as a function of its pre-activation, and its derivative from its value.
template <Candidate kCandidate>
struct CandidateOf {
  template <class P>
  MINRNN_INLINE static P candidate(P k) {
    if constexpr (kCandidate == Candidate::positive)
      return positive_candidate(k);
    else
      return k;
  }
  template <class P>
  MINRNN_INLINE static P slope(P h_tilde) {
    if constexpr (kCandidate == Candidate::positive)
      return positive_candidate_slope(h_tilde);
    else
      return P(typename P::Scalar(1));
  }
};

/// 1 / a and 1 / b for one division.
template <class P>
struct Reciprocals {
  P of_a, of_b;
  MINRNN_INLINE Reciprocals(P a, P b) {
    const P both = P(typename P::Scalar(1)) / (a * b);
    of_a = both * b;
    of_b = both * a;
  }
};

/// The gates of minGRU: what layer, cell and backward share.
template <Candidate kCandidate, Arithmetic kArithmetic>
struct MinGruGates : CandidateOf<kCandidate> {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 2;
  static constexpr std::string_view kName = "MinGru";
  static constexpr std::array<std::string_view, 2> kWeights{"w_z", "w_h"}, kBiases{"b_z", "b_h"};
  static constexpr double kForgetSign = -1;  // the forget gate is 1 - z

  template <class P>
  using Values = std::array<P, 2>;

  /// h_t = (1 - z) h_{t-1} + z h~, or its logarithm. k: in k_z and k_h, out what backward needs: z and h~.
  template <class P>
  MINRNN_INLINE static Recurrence<P> forward(Values<P>& k) {
    using S = typename P::Scalar;
    if constexpr (kArithmetic == Arithmetic::log_space) {
      const auto gate = log_sigmoid_pair(k[0]);
      const auto h_tilde = log_positive_candidate(k[1]);
      k = {pack(gate.linear), h_tilde.value};
      return {gate.log_complement, gate.log_value + h_tilde.log_value};
    } else if constexpr (kCandidate == Candidate::positive) {
      const P e = exp_of_negative(-abs(k[0])), e_h = exp_of_negative(min(k[1], P(S(0))));
      const Reciprocals<P> reciprocals(e + S(1), e_h + S(1));
      const auto z = sigmoid_pair_of(k[0], e, reciprocals.of_a);
      k = {pack(z), select(k[1] < S(0), e_h * reciprocals.of_b, k[1] + S(0.5))};
      return {z.complement, z.value * k[1]};
    } else {
      const auto z = sigmoid_pair(k[0]);
      k = {pack(z), k[1]};
      return {z.complement, z.value * k[1]};
    }
  }

  /// From delta = dL/dh_t: dk_z = delta (h~ - h_{t-1}) z (1 - z), dk_h = delta z h~'. Returns 1 - z.
  template <class P>
  MINRNN_INLINE static P backward(const Values<P>& kept, P before, P delta, Values<P>& dk) {
    const auto [z, keep] = unpack(kept[0]);
    const P in = delta * z;
    dk[0] = in * keep * (kept[1] - before);
    dk[1] = in * MinGruGates::slope(kept[1]);
    return keep;
  }
  template <class P>
  MINRNN_INLINE static P decay(const Values<P>& kept) {
    return unpack(kept[0]).complement;
  }
};

/// The gates of minLSTM, likewise.
template <GateScaling kScaling, Candidate kCandidate, Arithmetic kArithmetic>
struct MinLstmGates : CandidateOf<kCandidate> {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 3;
  static constexpr std::string_view kName = "MinLstm";
  static constexpr std::array<std::string_view, 3> kWeights{"w_f", "w_i", "w_h"}, kBiases{"b_f", "b_i", "b_h"};
  static constexpr double kForgetSign = 1;
  static constexpr bool kNormalised = kScaling == GateScaling::normalised;

  template <class P>
  using Values = std::array<P, 3>;

  /// h_t = f h_{t-1} + i h~, or its logarithm. k: in k_f, k_i and k_h, out what backward needs: f and i, or where they are
  /// divided by their sum, (1 - i) f' and (1 - f) i' of f' = f / (f + i) and i' = i / (f + i); and h~.
  template <class P>
  MINRNN_INLINE static Recurrence<P> forward(Values<P>& k) {
    using S = typename P::Scalar;
    if constexpr (kArithmetic == Arithmetic::log_space) {
      const auto f = log_sigmoid_pair(k[0]), i = log_sigmoid_pair(k[1]);
      const auto h_tilde = log_positive_candidate(k[2]);
      if constexpr (kNormalised) {
        const auto share = log_sigmoid_pair(f.log_value - i.log_value);  // f' and i' = 1 - f'
        k = {i.linear.complement * share.linear.value, f.linear.complement * share.linear.complement, h_tilde.value};
        return {share.log_value, share.log_complement + h_tilde.log_value};
      } else {
        k = {pack(f.linear), pack(i.linear), h_tilde.value};
        return {f.log_value, i.log_value + h_tilde.log_value};
      }
    } else if constexpr (kNormalised) {
      // Not through f and i, which may both underflow. With m = max(0, -k_f, -k_i), e^-m f^-1 = e^-m + w and
      // e^-m i^-1 = e^-m + u, where the largest of e^-m, u and w is 1.
      const P m = max(max(-k[0], -k[1]), P(S(0)));
      const P one = exp_of_negative(-m), w = exp_of_negative(-k[0] - m), u = exp_of_negative(-k[1] - m);
      const P of_f = one + u, of_i = one + w;
      P h_tilde = k[2], reciprocal;
      if constexpr (kCandidate == Candidate::positive) {
        const P e = exp_of_negative(min(k[2], P(S(0))));
        const Reciprocals<P> reciprocals(of_f + of_i, e + S(1));
        reciprocal = reciprocals.of_a;
        h_tilde = select(k[2] < S(0), e * reciprocals.of_b, k[2] + S(0.5));
      } else {
        reciprocal = P(S(1)) / (of_f + of_i);
      }
      k = {u * reciprocal, w * reciprocal, h_tilde};
      return {of_f * reciprocal, of_i * reciprocal * h_tilde};
    } else {
      const auto f = sigmoid_pair(k[0]), i = sigmoid_pair(k[1]);
      k = {pack(f), pack(i), MinLstmGates::candidate(k[2])};
      return {f.value, i.value * k[2]};
    }
  }

  /// From delta = dL/dh_t: df = delta h_{t-1}, di = delta h~, dh~ = delta i; where i' = 1 - f' they meet in
  /// df' - di' = delta (h_{t-1} - h~), with df'/dk_f = f' (1 - f) i' and df'/dk_i = -i' (1 - i) f'. Returns f, or f'.
  template <class P>
  MINRNN_INLINE static P backward(const Values<P>& kept, P before, P delta, Values<P>& dk) {
    using S = typename P::Scalar;
    const P h_tilde = kept[2], slope = MinLstmGates::slope(h_tilde);
    if constexpr (kNormalised) {
      const P f = decay(kept), i = P(S(1)) - f, difference = delta * (before - h_tilde);
      dk[0] = difference * f * kept[1];
      dk[1] = -difference * i * kept[0];
      dk[2] = delta * i * slope;
      return f;
    } else {
      const auto [f, not_f] = unpack(kept[0]);
      const auto [i, not_i] = unpack(kept[1]);
      dk[0] = delta * before * f * not_f;
      dk[1] = delta * h_tilde * i * not_i;
      dk[2] = delta * i * slope;
      return f;
    }
  }
  template <class P>
  MINRNN_INLINE static P decay(const Values<P>& kept) {
    using S = typename P::Scalar;
    if constexpr (kNormalised)
      return fma(kept[0] - kept[1], P(S(0.5)), P(S(0.5)));  // f' - i' = (1 - i) f' - (1 - f) i'
    else
      return unpack(kept[0]).value;
  }
};

}  // namespace detail
}  // namespace minrnn
