// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/log_space.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn::detail {

/// RG-LRU, the real-gated linear recurrent unit of Griffin.
///
/// Equations   r = sigmoid(k_r),  i = sigmoid(k_i),  v = k_h;  a = sigmoid(lambda)^(8 r) = exp(-l) with
///             l = 8 r softplus(-lambda);  h_t = a h_{t-1} + m i v with m = sqrt(1 - a^2)
///             1 - a^2 = 2 s / (1 + s) with s = tanh(l), which keeps its precision where a is near 1
/// Gradient    with delta = dL/dh_t:  dk_i = delta m v i (1 - i),  dk_h = delta m i,  dh_{t-1} = delta a;
///             with e = delta (l a h_{t-1} - a^2 l / m i v) = -l dL/dl:  dk_r = -e (1 - r),
///             dlambda = e sigmoid(-lambda) / softplus(-lambda)
/// Range       where r is shut, a = 1: then nothing enters, and the slope of m, which is infinite there, meets l = 0:
///             l / m goes to 0 with l, and is 0 there
/// Kept        r, i, v; r and i in one number with their complements
/// Source      De et al. 2024, "Griffin", arXiv:2402.19427
struct RgLruGates : CandidateFunction<Candidate::plain> {
  using Linear = RgLruGates;
  static constexpr Arithmetic arithmetic = Arithmetic::linear;
  static constexpr Index kCount = 3, kDiagonals = 1;
  static constexpr std::string_view kName = "RgLru";
  static constexpr Array<std::string_view, 3> kWeights{"w_r", "w_i", "w_h"}, kBiases{"b_r", "b_i", "b_h"};
  static constexpr Array<DiagonalWeight, 1> kDiagonalWeights{{{"lambda", 0}}};
  static constexpr Array<double, 3> kForgetBias{0, 0, 0};  // how much is kept is for lambda to say

  /// Of a packet of channels.
  template <class P>
  struct Channels {
    P rate;   // 8 softplus(-lambda)
    P slope;  // sigmoid(-lambda) / softplus(-lambda), which goes to 1 as both go to 0
  };
  template <class P>
  MINRNN_INLINE static Channels<P> prepare(const Array<P, 1>& diagonal) {
    const P softplus_of = softplus(-diagonal[0]);
    return {softplus_of * S<P>(8), select(softplus_of == S<P>(0), P(S<P>(1)), sigmoid(-diagonal[0]) / softplus_of)};
  }

  template <class P>
  MINRNN_INLINE static ScanStep<P, Array<P, 3>> forward(const Array<P, 3>& k, const Channels<P>& channels) {
    const Gate<P, Arithmetic::linear> r(k[0]), i(k[1]);
    const P l = r.value * channels.rate;
    return {exp(-l), input_scale(l) * i.value * k[2], {r.packed, i.packed, k[2]}};
  }

  template <class P>
  MINRNN_INLINE static ScanAdjoint<P, 3, 1> backward(const Array<P, 3>& kept, P h_before, P delta,
                                                     const Channels<P>& channels) {
    const auto r = unpack(kept[0]), i = unpack(kept[1]);
    const P v = kept[2], l = r.value * channels.rate, a = exp(-l), m = input_scale(l), zero(S<P>(0));
    const P l_of_m = select(m == zero, zero, l / m);
    const P e = delta * (l * a * h_before - l_of_m * (a * a) * i.value * v);
    const P dk_i = delta * (m * i.value * i.complement * v), dk_h = delta * (m * i.value);
    return {{-e * r.complement, dk_i, dk_h}, a * delta, {e * channels.slope}};
  }

  template <class P>
  MINRNN_INLINE static P decay(const Array<P, 3>& kept, const Channels<P>& channels) {
    return exp(-(unpack(kept[0]).value * channels.rate));
  }

 private:
  template <class P>
  using S = typename P::Scalar;

  /// m = sqrt(1 - e^(-2 l)).
  template <class P>
  MINRNN_INLINE static P input_scale(P l) {
    const P s = tanh(l);
    return square_root((s + s) / (s + S<P>(1)));
  }
};

}  // namespace minrnn::detail
