// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/gates/diagonal_gates.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn::detail {

/// GRU whose recurrent weights are diagonal.
///
/// Equations   z = sigmoid(a_z h_{t-1} + k_z),  r = sigmoid(a_r h_{t-1} + k_r),  n = tanh(a_n (h_{t-1} r) + k_n);
///             h_t = (1 - z) h_{t-1} + z n
/// Gradient    with d = dL/dh_t:  dk_z = d (n - h_{t-1}) z (1 - z),  dk_n = d z (1 - n^2),
///             dk_r = dk_n a_n h_{t-1} r (1 - r);  da_z = dk_z h_{t-1},  da_r = dk_r h_{t-1},  da_n = dk_n h_{t-1} r;
///             dh_{t-1} = d (1 - z) + dk_z a_z + dk_r a_r + dk_n a_n r, as d times a number that does not wait for d
/// Kept        z, r, n; z and r in one number with their complements
/// Source      Danieli et al. 2025, "ParaRNN", arXiv:2510.21450
struct DiagonalGruGates {
  static constexpr std::string_view kName = "DiagonalGru";
  static constexpr Index kCount = 3, kDiagonals = 3, kStates = 1;
  static constexpr Array<std::string_view, 3> kWeights{"w_z", "w_r", "w_n"}, kBiases{"b_z", "b_r", "b_n"};
  static constexpr double kForgetBias = -1;  // the state keeps 1 - z of itself
  static constexpr Array<DiagonalWeight, 3> kDiagonalWeights{{{"a_z", 0}, {"a_r", 1}, {"a_n", 2}}};

  template <class P>
  MINRNN_INLINE static DiagonalStep<P, 1, 3> forward(const Array<P, 3>& k, const Array<P, 1>& before,
                                                     const Array<P, 3>& diagonal) {
    const auto& [a_z, a_r, a_n] = diagonal.values;
    const P h_before = before[0];
    const Gate<P, Arithmetic::linear> z(fma(a_z, h_before, k[0])), r(fma(a_r, h_before, k[1]));
    const P n = tanh(fma(a_n, r.value * h_before, k[2]));
    return {{fma(z.complement, h_before, z.value * n)}, {z.packed, r.packed, n}};
  }

  template <class P>
  MINRNN_INLINE static DiagonalAdjoint<P, 1, 3, 3> backward(const Array<P, 3>& kept, const Array<P, 1>& before,
                                                            const Array<P, 1>&, const Array<P, 1>& d,
                                                            const Array<P, 3>& diagonal) {
    const auto& [a_z, a_r, a_n] = diagonal.values;
    const auto z = unpack(kept[0]), r = unpack(kept[1]);
    const P n = kept[2], h_before = before[0];
    const P of_z = z.value * z.complement * (n - h_before), of_n = z.value * tanh_slope(n);
    const P of_r = of_n * (r.value * r.complement * h_before) * a_n;
    const P through = fma(of_z, a_z, z.complement) + fma(of_r, a_r, of_n * r.value * a_n);
    const P dk_z = of_z * d[0], dk_r = of_r * d[0], dk_n = of_n * d[0];
    return {{dk_z, dk_r, dk_n}, {dk_z * h_before, dk_r * h_before, dk_n * (r.value * h_before)}, {through * d[0]}};
  }
};

}  // namespace minrnn::detail
