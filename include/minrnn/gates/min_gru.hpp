// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn::detail {

/// minGRU.
///
/// Equations   z = sigmoid(k_z),  h~ = g(k_h);  h_t = (1 - z) h_{t-1} + z h~
/// Gradient    with delta = dL/dh_t:  dk_z = delta (h~ - h_{t-1}) z (1 - z),  dk_h = delta z g'(k_h),
///             dh_{t-1} = delta (1 - z)
/// Source      Feng et al. 2024, appendices A (g(k) = k) and B
template <Candidate kCandidate, Arithmetic kArithmetic>
struct MinGruGates : CandidateFunction<kCandidate> {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  using Linear = MinGruGates<kCandidate, Arithmetic::linear>;
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 2;
  static constexpr std::string_view kName = "MinGru";
  static constexpr Array<std::string_view, 2> kWeights{"w_z", "w_h"}, kBiases{"b_z", "b_h"};
  static constexpr Array<double, 2> kForgetBias{-1, 0};  // the forget gate is 1 - z

  template <class P>
  MINRNN_INLINE static auto forward(const Array<P, 2>& k) {
    const Gate<P, arithmetic> z(k[0]);
    const CandidateNumber<P, arithmetic, kCandidate> h_tilde(k[1]);
    return ScanStep<decltype(z.value), Array<P, 2>>{z.complement, z.value * h_tilde.number, {z.packed, h_tilde.value}};
  }

  template <class P>
  MINRNN_INLINE static ScanAdjoint<P, 2> backward(const Array<P, 2>& kept, P h_before, P delta) {
    const auto [z, not_z, smaller] = unpack(kept[0]);
    const P h_tilde = kept[1];
    const P dk_z = delta * (z * not_z * (h_tilde - h_before));
    const P dk_h = delta * z * MinGruGates::slope(h_tilde);
    return {{dk_z, dk_h}, not_z * delta};
  }

  template <class P>
  MINRNN_INLINE static P decay(const Array<P, 2>& kept) {
    return unpack(kept[0]).complement;
  }
};

}  // namespace minrnn::detail
