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

/// LSTM with coupled gates and peepholes whose recurrent weights are diagonal.
///
/// Equations   f = sigmoid(a_f h_{t-1} + c_f c_{t-1} + k_f),  g = tanh(a_g h_{t-1} + k_g);
///             c_t = f c_{t-1} + (1 - f) g;  o = sigmoid(a_o h_{t-1} + c_o c_t + k_o),  h_t = o tanh(c_t)
/// Gradient    with d_h = dL/dh_t, d_c what reaches c_t from later steps, s = tanh(c_t):
///             dk_o = d_h s o (1 - o),  dc = d_c + d_h o (1 - s^2) + dk_o c_o;
///             dk_f = dc (c_{t-1} - g) f (1 - f),  dk_g = dc (1 - f) (1 - g^2);
///             da_f = dk_f h_{t-1},  da_g = dk_g h_{t-1},  da_o = dk_o h_{t-1},  dc_f = dk_f c_{t-1},
///             dc_o = dk_o c_t;  dh_{t-1} = dk_f a_f + dk_g a_g + dk_o a_o,  dc_{t-1} = dc f + dk_f c_f
/// Kept        f, g, o; f and o in one number with their complements
/// Source      Danieli et al. 2025, "ParaRNN", arXiv:2510.21450
struct DiagonalLstmGates {
  static constexpr std::string_view kName = "DiagonalLstm";
  static constexpr Index kCount = 3, kDiagonals = 5, kStates = 2;
  static constexpr Array<std::string_view, 3> kWeights{"w_f", "w_g", "w_o"}, kBiases{"b_f", "b_g", "b_o"};
  static constexpr double kForgetBias = 1;  // c keeps f of itself
  static constexpr Array<DiagonalWeight, 5> kDiagonalWeights{
      {{"a_f", 0}, {"c_f", 0, true}, {"a_g", 1}, {"a_o", 2}, {"c_o", 2, true}}};

  template <class P>
  MINRNN_INLINE static DiagonalStep<P, 2, 3> forward(const Array<P, 3>& k, const Array<P, 2>& before,
                                                     const Array<P, 5>& diagonal) {
    const auto& [a_f, c_f, a_g, a_o, c_o] = diagonal.values;
    const auto& [h_before, c_before] = before.values;
    const Gate<P, Arithmetic::linear> f(fma(c_f, c_before, fma(a_f, h_before, k[0])));
    const P g = tanh(fma(a_g, h_before, k[1]));
    const P c = fma(f.value, c_before, f.complement * g);
    const Gate<P, Arithmetic::linear> o(fma(c_o, c, fma(a_o, h_before, k[2])));
    return {{o.value * tanh(c), c}, {f.packed, g, o.packed}};
  }

  template <class P>
  MINRNN_INLINE static DiagonalAdjoint<P, 2, 3, 5> backward(const Array<P, 3>& kept, const Array<P, 2>& before,
                                                            const Array<P, 2>& after, const Array<P, 2>& d,
                                                            const Array<P, 5>& diagonal) {
    const auto& [a_f, c_f, a_g, a_o, c_o] = diagonal.values;
    const auto& [h_before, c_before] = before.values;
    const auto f = unpack(kept[0]), o = unpack(kept[2]);
    const P g = kept[1], c = after[1], squashed = tanh(c);
    const P of_o = o.value * o.complement * squashed, of_f = f.value * f.complement * (c_before - g);
    const P dk_o = of_o * d[0], dc = fma(fma(of_o, c_o, o.value * tanh_slope(squashed)), d[0], d[1]);
    const P dk_f = of_f * dc, dk_g = f.complement * tanh_slope(g) * dc;
    return {{dk_f, dk_g, dk_o},
            {dk_f * h_before, dk_f * c_before, dk_g * h_before, dk_o * h_before, dk_o * c},
            {fma(dk_f, a_f, fma(dk_g, a_g, dk_o * a_o)), fma(of_f, c_f, f.value) * dc}};
  }
};

}  // namespace minrnn::detail
