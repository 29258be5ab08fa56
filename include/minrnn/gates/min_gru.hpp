// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn::detail {

/// minGRU.
///
/// Equations   z = sigmoid(k_z),  h~ = g(k_h);  h_t = a h_{t-1} + z h~ with a = 1 - z, or 1 - 2 z (flip)
/// Gradient    with delta = dL/dh_t:  dk_z = delta (h~ - h_{t-1}) z (1 - z), where flip has 2 h_{t-1};
///             dk_h = delta z g'(k_h);  dh_{t-1} = delta a
/// Source      Feng et al. 2024, appendices A (g(k) = k) and B; flip: Grazzi et al. 2024, of linear recurrences
template <Candidate kCandidate, Arithmetic kArithmetic, Decay kDecay = Decay::positive>
struct MinGruGates : CandidateFunction<kCandidate>, NoDiagonals {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  static_assert(kDecay == Decay::positive || (kArithmetic == Arithmetic::linear && kCandidate == Candidate::plain),
                "a decay that changes signs needs the plain candidate and linear arithmetic");
  using Linear = MinGruGates<kCandidate, Arithmetic::linear, kDecay>;
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 2;
  static constexpr std::string_view kName = "MinGru";
  static constexpr Array<std::string_view, 1> kVariant{variant_words(kCandidate, kDecay)};
  static constexpr Array<std::string_view, 2> kWeights{"w_z", "w_h"}, kBiases{"b_z", "b_h"};
  static constexpr Array<double, 2> kForgetBias{-1, 0};  // the forget gate is 1 - z

  template <class P>
  MINRNN_INLINE static auto forward(const Array<P, 2>& k, const Array<P, 0>& = {}) {
    const Gate<P, arithmetic> z(k[0]);
    const CandidateNumber<P, arithmetic, kCandidate> h_tilde(k[1]);
    using Step = ScanStep<decltype(z.value), Array<P, 2>>;
    return Step{decay_of(z), z.value * h_tilde.number, {z.packed, h_tilde.value}};
  }

  template <class P>
  MINRNN_INLINE static ScanAdjoint<P, 2> backward(const Array<P, 2>& kept, P h_before, P delta,
                                                  const Array<P, 0>& = {}) {
    const auto z = unpack(kept[0]);
    const P h_tilde = kept[1], moved = kDecay == Decay::flip ? h_before + h_before : h_before;
    const P dk_z = delta * (z.value * z.complement * (h_tilde - moved));
    const P dk_h = delta * z.value * MinGruGates::slope(h_tilde);
    return {{dk_z, dk_h}, decay_of(z) * delta};
  }

  template <class P>
  MINRNN_INLINE static P decay(const Array<P, 2>& kept, const Array<P, 0>& = {}) {
    return decay_of(unpack(kept[0]));
  }

 private:
  template <class Z>
  MINRNN_INLINE static auto decay_of(const Z& z) {
    if constexpr (kDecay == Decay::flip)
      return z.complement - z.value;
    else
      return z.complement;
  }
};

}  // namespace minrnn::detail
