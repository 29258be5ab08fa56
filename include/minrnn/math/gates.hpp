// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <string_view>

#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// The candidate h~ of a minimal cell: `positive` applies g (as published for log space), `plain` is linear.
/// They are different functions, not two ways to compute one.
enum class Candidate { positive, plain };

/// How the recurrence is computed: `linear` on h itself, `log_space` on its logarithm, as `Scaled` numbers, which have
/// no range to leave. With a positive candidate both give the same function.
enum class Arithmetic { linear, log_space };

/// Whether the gates of minLSTM are divided by their sum, as in the paper, or used as they are, as in the official
/// code.
enum class GateScaling { normalised, unnormalised };

namespace detail {

/// One step of a minimal cell as its gates give it: h_t = decay h_{t-1} + input, in numbers P or Scaled<P>.
template <class Number>
struct Recurrence {
  Number decay, input;
};

/// sigmoid(k) and sigmoid(-k), each to full relative precision; a gate that is shut is exactly 0. As `sigmoid_pair`,
/// and cheaper.
template <class S, int N>
MINRNN_INLINE SigmoidPair<S, N> gate_pair(Packet<S, N> k) {
  using P = Packet<S, N>;
  const P e = exp(-k), open = P(S(1)) / (e + S(1)), complement = e * open;
  const P value = select(k < P(std::is_same_v<S, float> ? S(-88.37) : S(-709.7)), P(S(0)), open);  // where exp(-k) ends
  return {value, complement, minimum(value, complement)};
}
/// A gate and its complement in one number: the smaller of the two, with the sign of the pre-activation, which says
/// which, even where it is 0. Both come back to full relative precision without an exponential. A gate that is shut is
/// exactly 0: the smallest normal number would let through what the largest ones make of it.
template <class S, int N>
MINRNN_INLINE Packet<S, N> pack(const SigmoidPair<S, N>& gate, Packet<S, N> k) {
  return with_sign_of(gate.smaller, k);
}
template <class S, int N>
MINRNN_INLINE SigmoidPair<S, N> unpack(Packet<S, N> packed) {
  const Packet<S, N> smaller = absolute(packed), larger = Packet<S, N>(S(1)) - smaller;
  const auto negative = with_sign_of(Packet<S, N>(S(1)), packed) < S(0);
  return {select(negative, smaller, larger), select(negative, larger, smaller), smaller};
}

/// A gate and its complement with exponents of their own, and both in one number.
template <class P>
struct ScaledGate {
  Scaled<P> value, complement;
  P packed;

  MINRNN_INLINE explicit ScaledGate(P k) {
    using S = typename P::Scalar;
    const Scaled<P> e = scaled_exp(-absolute(k));
    const P e_value = value_of(e), larger_value = P(S(1)) / (e_value + S(1));
    const Scaled<P> larger{larger_value, P(S(0))}, smaller = e * larger;
    const auto negative = k < S(0);
    value = select(negative, smaller, larger);
    complement = select(negative, larger, smaller);
    packed = pack(sigmoid_pair_of(k, e_value, larger_value), k);
  }
};

/// The positive candidate g(k), likewise.
template <class P>
struct ScaledCandidate {
  Scaled<P> scaled;
  P value;

  MINRNN_INLINE explicit ScaledCandidate(P k) {
    using S = typename P::Scalar;
    const Scaled<P> e = scaled_exp(minimum(k, P(S(0))));
    const P e_value = value_of(e), below = P(S(1)) / (e_value + S(1)), above = k + S(0.5);
    const auto negative = k < S(0);
    value = select(negative, e_value * below, above);
    scaled = select(negative, e * below, {above, P(S(0))});
  }
};

/// The candidate h~ as a function of its pre-activation, and its derivative from its value.
template <Candidate kCandidate>
struct CandidateOf {
  template <class P>
  MINRNN_INLINE static P candidate(P k) {
    if constexpr (kCandidate == Candidate::positive) {
      const P e = exp(k);  // finite where it is not used
      return select(k < typename P::Scalar(0), e / (e + typename P::Scalar(1)), k + typename P::Scalar(0.5));
    } else {
      return k;
    }
  }
  template <class P>
  MINRNN_INLINE static P slope(P h_tilde) {
    if constexpr (kCandidate == Candidate::positive)
      return positive_candidate_slope(h_tilde);
    else
      return P(typename P::Scalar(1));
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
  static constexpr Array<std::string_view, 2> kWeights{"w_z", "w_h"}, kBiases{"b_z", "b_h"};
  static constexpr Array<double, 2> kForgetBias{-1, 0};  // the forget gate is 1 - z

  template <class P>
  using Values = Array<P, 2>;

  /// h_t = (1 - z) h_{t-1} + z h~. k: in k_z and k_h, out what backward needs: z and h~.
  template <class P>
  MINRNN_INLINE static auto forward(Values<P>& k) {
    if constexpr (kArithmetic == Arithmetic::log_space) {
      const ScaledGate<P> z(k[0]);
      const ScaledCandidate<P> h_tilde(k[1]);
      k = {z.packed, h_tilde.value};
      return Recurrence<Scaled<P>>{z.complement, z.value * h_tilde.scaled};
    } else {
      const auto z = gate_pair(k[0]);
      k = {pack(z, k[0]), MinGruGates::candidate(k[1])};
      return Recurrence<P>{z.complement, z.value * k[1]};
    }
  }

  /// From delta = dL/dh_t: dk_z = delta (h~ - h_{t-1}) z (1 - z), dk_h = delta z h~'. Returns 1 - z. Of products, what
  /// is small comes first: a gate that is shut meets large numbers before they meet each other.
  template <class P>
  MINRNN_INLINE static P backward(const Values<P>& kept, P before, P delta, Values<P>& dk) {
    const auto [z, keep, smaller] = unpack(kept[0]);
    dk[0] = delta * (z * keep * (kept[1] - before));
    dk[1] = delta * z * MinGruGates::slope(kept[1]);
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
  static constexpr Array<std::string_view, 3> kWeights{"w_f", "w_i", "w_h"}, kBiases{"b_f", "b_i", "b_h"};
  static constexpr bool kNormalised = kScaling == GateScaling::normalised;
  // f / (f + i) with i near 1/2 would stay below 2/3, however near to 1 f is.
  static constexpr Array<double, 3> kForgetBias{1, kNormalised ? -1 : 0, 0};

  template <class P>
  using Values = Array<P, 3>;

  /// h_t = f h_{t-1} + i h~. k: in k_f, k_i and k_h, out what backward needs: f and i, or where they are divided by
  /// their sum, (1 - i) f' and (1 - f) i' of f' = f / (f + i) and i' = i / (f + i); and h~.
  template <class P>
  MINRNN_INLINE static auto forward(Values<P>& k) {
    using S = typename P::Scalar;
    if constexpr (kArithmetic == Arithmetic::log_space) {
      const ScaledCandidate<P> h_tilde(k[2]);
      if constexpr (kNormalised) {
        // Not through f and i, which may both underflow. With m = max(0, -k_f, -k_i), w = e^(-k_f - m) and
        // u = e^(-k_i - m), f' is (e^-m + u) / (2 e^-m + u + w), and the largest of e^-m, u and w is 1.
        const P m = maximum(maximum(-k[0], -k[1]), P(S(0)));
        const Scaled<P> one = scaled_exp(-m), w = scaled_exp(-k[0] - m), u = scaled_exp(-k[1] - m);
        const P one_value = value_of(one), w_value = value_of(w), u_value = value_of(u);
        const P reciprocal = P(S(1)) / ((one_value + u_value) + (one_value + w_value));
        k = {u_value * reciprocal, w_value * reciprocal, h_tilde.value};
        return Recurrence<Scaled<P>>{(one + u) * reciprocal, (one + w) * reciprocal * h_tilde.scaled};
      } else {
        const ScaledGate<P> f(k[0]), i(k[1]);
        k = {f.packed, i.packed, h_tilde.value};
        return Recurrence<Scaled<P>>{f.value, i.value * h_tilde.scaled};
      }
    } else {
      const P h_tilde = MinLstmGates::candidate(k[2]);
      if constexpr (kNormalised) {
        // As above, but with m = 0 as long as the exponentials have room, up to an e^room of which 1 / (2 e^room) is
        // just a normal number: beyond that e^-m is next to nothing beside the largest, and 1 - m will do for it, or 0.
        // Not x - (largest - room): of large numbers that difference would round to x - largest.
        const P room(std::is_same_v<S, float> ? S(86.5) : S(707.5)), largest = maximum(-k[0], -k[1]);
        const auto within = [&](P x) { return exp(minimum(x, x - largest + room)); };
        const P one = maximum(minimum(room + S(1) - largest, P(S(1))), P(S(0))), w = within(-k[0]), u = within(-k[1]);
        const P of_f = u + one, of_i = w + one;
        const P reciprocal = P(S(1)) / (of_f + of_i);
        k = {u * reciprocal, w * reciprocal, h_tilde};
        return Recurrence<P>{of_f * reciprocal, of_i * reciprocal * h_tilde};
      } else {
        const auto f = gate_pair(k[0]), i = gate_pair(k[1]);
        k = {pack(f, k[0]), pack(i, k[1]), h_tilde};
        return Recurrence<P>{f.value, i.value * h_tilde};
      }
    }
  }

  /// From delta = dL/dh_t: df = delta h_{t-1}, di = delta h~, dh~ = delta i; where i' = 1 - f' they meet in
  /// df' - di' = delta (h_{t-1} - h~), with df'/dk_f = f' (1 - f) i' and df'/dk_i = -i' (1 - i) f'. Returns f, or f'.
  template <class P>
  MINRNN_INLINE static P backward(const Values<P>& kept, P before, P delta, Values<P>& dk) {
    using S = typename P::Scalar;
    const P h_tilde = kept[2], slope = MinLstmGates::slope(h_tilde);
    if constexpr (kNormalised) {
      const P f = decay(kept), i = P(S(1)) - f, difference = before - h_tilde;
      dk[0] = delta * (f * kept[1] * difference);
      dk[1] = -delta * (i * kept[0] * difference);
      dk[2] = delta * i * slope;
      return f;
    } else {
      const auto [f, not_f, smaller_f] = unpack(kept[0]);
      const auto [i, not_i, smaller_i] = unpack(kept[1]);
      dk[0] = delta * (f * not_f * before);
      dk[1] = delta * (i * not_i * h_tilde);
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
