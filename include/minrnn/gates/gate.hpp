// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/packet_bits.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// How much of its state a minimal cell keeps in a step, as a function of its gates.
///   positive  1 - z, or f': in [0, 1], as published
///   flip      1 - 2 z, or f' - i': in [-1, 1], so that an input may change the sign of what is kept. A state can then
///             count modulo 2, which no decay in [0, 1] can. With the plain candidate, in linear arithmetic
/// Source      Grazzi et al. 2024, "Unlocking state-tracking in linear RNNs through negative eigenvalues",
///             arXiv:2411.12537
enum class Decay { positive, flip };

}  // namespace minrnn

namespace minrnn::detail {

/// What tells minimal cells of one name apart, in words: nothing of the published one.
constexpr std::string_view variant_words(Candidate candidate, Decay decay) {
  return decay == Decay::flip ? "signed " : candidate == Candidate::plain ? "plain " : "";
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

/// sigmoid(k) and sigmoid(-k) as numbers of the arithmetic, each to full relative precision, and both in one packet.
template <class P, Arithmetic>
struct Gate;

template <class P>
struct Gate<P, Arithmetic::linear> {
  P value, complement, packed;

  /// As `sigmoid_pair`, and cheaper; a gate that is shut is exactly 0.
  MINRNN_INLINE explicit Gate(P k) {
    using S = typename P::Scalar;
    // Beyond it exp(-k) is so large that its reciprocal is no normal number, which a processor may take for 0: it does
    // so in programs for sound, and where one is linked with -ffast-math. Then nothing would be left of the complement.
    constexpr S most = std::is_same_v<S, float> ? S(87.33) : S(708.39);
    const P e = exp_of_bounded(minimum(-k, P(most))), open = P(S(1)) / (e + S(1));
    complement = e * open;
    value = select(k < -most, P(S(0)), open);
    packed = with_sign_of(minimum(value, complement), k);
  }
};

template <class P>
struct Gate<P, Arithmetic::log_space> {
  Scaled<P> value, complement;
  P packed;

  MINRNN_INLINE explicit Gate(P k) {
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

/// The candidate h~ as a number of the arithmetic, and as a packet.
template <class P, Arithmetic, Candidate>
struct CandidateNumber;

template <class P, Candidate candidate>
struct CandidateNumber<P, Arithmetic::linear, candidate> {
  P number, value;

  MINRNN_INLINE explicit CandidateNumber(P k) : value(CandidateFunction<candidate>::candidate(k)) { number = value; }
};

template <class P>
struct CandidateNumber<P, Arithmetic::log_space, Candidate::positive> {
  Scaled<P> number;
  P value;

  MINRNN_INLINE explicit CandidateNumber(P k) {
    using S = typename P::Scalar;
    const Scaled<P> e = scaled_exp(minimum(k, P(S(0))));
    const P e_value = value_of(e), below = P(S(1)) / (e_value + S(1)), above = k + S(0.5);
    const auto negative = k < S(0);
    value = select(negative, e_value * below, above);
    number = select(negative, e * below, {above, P(S(0))});
  }
};

}  // namespace minrnn::detail
