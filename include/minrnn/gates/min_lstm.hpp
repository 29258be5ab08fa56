// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// Whether the gates of minLSTM are divided by their sum, as in the paper, or used as they are, as in the official
/// code.
enum class GateScaling { normalised, unnormalised };

namespace detail {

/// f' = f / (f + i) and i' = i / (f + i) for f = sigmoid(k_f), i = sigmoid(k_i), as numbers of the arithmetic; and
/// (1 - i) f' and (1 - f) i', from which both come back.
///
/// Not through f and i, which may both underflow: with m = max(0, -k_f, -k_i), w = e^(-k_f - m) and u = e^(-k_i - m),
/// f' is (e^-m + u) / (2 e^-m + u + w), and the largest of e^-m, u and w is 1.
template <class P, Arithmetic>
struct NormalisedGates;

template <class P>
struct NormalisedGates<P, Arithmetic::linear> {
  P f, i, not_i_f, not_f_i;

  /// With m = 0 as long as the exponentials have room, up to an e^room of which 1 / (2 e^room) is just a normal number.
  MINRNN_INLINE NormalisedGates(P k_f, P k_i) {
    using S = typename P::Scalar;
    const P room(std::is_same_v<S, float> ? S(86.5) : S(707.5)), least = minimum(k_f, k_i);
    P of_w = -k_f, of_u = -k_i, one(S(1));
    if (any(least + room < S(0))) [[unlikely]] {
      // e^-m is next to nothing beside the largest, and 1 - m will do for it, or 0.
      one = maximum(minimum(least + (room + S(1)), one), P(S(0)));
      // Not -k - (largest - room): of large numbers that difference would round to -k - largest.
      of_w = minimum(of_w, as_written(least - k_f) + room);
      of_u = minimum(of_u, as_written(least - k_i) + room);
    }
    const P w = exp_of_bounded(of_w), u = exp_of_bounded(of_u);
    const P of_f = u + one, of_i = w + one;
    const P reciprocal = P(S(1)) / (of_f + of_i);
    f = of_f * reciprocal;
    i = of_i * reciprocal;
    not_i_f = u * reciprocal;
    not_f_i = w * reciprocal;
  }
};

template <class P>
struct NormalisedGates<P, Arithmetic::log_space> {
  Scaled<P> f, i;
  P not_i_f, not_f_i;

  MINRNN_INLINE NormalisedGates(P k_f, P k_i) {
    using S = typename P::Scalar;
    const P m = maximum(maximum(-k_f, -k_i), P(S(0)));
    const Scaled<P> one = scaled_exp(-m), w = scaled_exp(-k_f - m), u = scaled_exp(-k_i - m);
    const P one_value = value_of(one), w_value = value_of(w), u_value = value_of(u);
    const P reciprocal = P(S(1)) / ((one_value + u_value) + (one_value + w_value));
    f = (one + u) * reciprocal;
    i = (one + w) * reciprocal;
    not_i_f = u_value * reciprocal;
    not_f_i = w_value * reciprocal;
  }
};

/// minLSTM.
///
/// Equations   f = sigmoid(k_f),  i = sigmoid(k_i),  h~ = g(k_h);  h_t = a h_{t-1} + i' h~
///             normalised: f' = f / (f + i), i' = i / (f + i);  unnormalised: f' = f, i' = i;
///             a = f', or f' - i' (flip)
/// Gradient    with delta = dL/dh_t:  dk_h = delta i' g'(k_h),  dh_{t-1} = delta a;
///             normalised: dk_f = delta (h_{t-1} - h~) f' (1 - f) i',  dk_i = -delta (h_{t-1} - h~) i' (1 - i) f',
///             where flip has 2 h_{t-1};
///             unnormalised: dk_f = delta h_{t-1} f (1 - f),  dk_i = delta h~ i (1 - i), where flip has h~ - h_{t-1}
/// Source      Feng et al. 2024, appendices A (g(k) = k) and B; unnormalised: its official code; flip: Grazzi et al.
///             2024, of linear recurrences
template <GateScaling kScaling, Candidate kCandidate, Arithmetic kArithmetic, Decay kDecay = Decay::positive>
struct MinLstmGates : CandidateFunction<kCandidate>, NoDiagonals {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  static_assert(kDecay == Decay::positive || (kArithmetic == Arithmetic::linear && kCandidate == Candidate::plain),
                "a decay that changes signs needs the plain candidate and linear arithmetic");
  using Linear = MinLstmGates<kScaling, kCandidate, Arithmetic::linear, kDecay>;
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 3;
  static constexpr std::string_view kName = "MinLstm";
  static constexpr Array<std::string_view, 3> kWeights{"w_f", "w_i", "w_h"}, kBiases{"b_f", "b_i", "b_h"};
  static constexpr bool kNormalised = kScaling == GateScaling::normalised, kFlips = kDecay == Decay::flip;
  static constexpr Array<std::string_view, 2> kVariant{kNormalised ? "" : "unnormalised ",
                                                       variant_words(kCandidate, kDecay)};
  // f / (f + i) with i near 1/2 would stay below 2/3, however near to 1 f is.
  static constexpr Array<double, 3> kForgetBias{1, kNormalised ? -1 : 0, 0};

  template <class P>
  MINRNN_INLINE static auto forward(const Array<P, 3>& k, const Array<P, 0>& = {}) {
    const CandidateNumber<P, arithmetic, kCandidate> h_tilde(k[2]);
    using Step = ScanStep<decltype(h_tilde.number), Array<P, 3>>;
    if constexpr (kNormalised) {
      const NormalisedGates<P, arithmetic> gates(k[0], k[1]);
      return Step{decay_of(gates.f, gates.i), gates.i * h_tilde.number, {gates.not_i_f, gates.not_f_i, h_tilde.value}};
    } else {
      const Gate<P, arithmetic> f(k[0]), i(k[1]);
      return Step{decay_of(f.value, i.value), i.value * h_tilde.number, {f.packed, i.packed, h_tilde.value}};
    }
  }

  template <class P>
  MINRNN_INLINE static ScanAdjoint<P, 3> backward(const Array<P, 3>& kept, P h_before, P delta,
                                                  const Array<P, 0>& = {}) {
    const P h_tilde = kept[2], slope = MinLstmGates::slope(h_tilde);
    if constexpr (kNormalised) {
      const P not_i_f = kept[0], not_f_i = kept[1], f = normalised_f(kept), i = P(typename P::Scalar(1)) - f;
      const P difference = (kFlips ? h_before + h_before : h_before) - h_tilde;
      return {{delta * (f * not_f_i * difference), -delta * (i * not_i_f * difference), delta * i * slope},
              decay(kept) * delta};
    } else {
      const auto [f, not_f, smaller_f] = unpack(kept[0]);
      const auto [i, not_i, smaller_i] = unpack(kept[1]);
      const P of_i = kFlips ? h_tilde - h_before : h_tilde;
      return {{delta * (f * not_f * h_before), delta * (i * not_i * of_i), delta * i * slope}, decay_of(f, i) * delta};
    }
  }

  template <class P>
  MINRNN_INLINE static P decay(const Array<P, 3>& kept, const Array<P, 0>& = {}) {
    if constexpr (kNormalised && kFlips)
      return kept[0] - kept[1];  // f' - i' = (1 - i) f' - (1 - f) i'
    else if constexpr (kNormalised)
      return normalised_f(kept);
    else
      return decay_of(unpack(kept[0]).value, unpack(kept[1]).value);
  }

 private:
  /// From f' - i', as `decay` has it, and f' + i' = 1.
  template <class P>
  MINRNN_INLINE static P normalised_f(const Array<P, 3>& kept) {
    const P half(typename P::Scalar(0.5));
    return fma(kept[0] - kept[1], half, half);
  }
  template <class Number>
  MINRNN_INLINE static Number decay_of(Number f, [[maybe_unused]] Number i) {
    if constexpr (kFlips)
      return f - i;
    else
      return f;
  }
};

}  // namespace detail
}  // namespace minrnn
