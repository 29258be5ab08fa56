// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/step_gates.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn::detail {

/// LSTM.
///
/// Equations   i = sigmoid(p_i + q_i),  f = sigmoid(p_f + q_f),  g = tanh(p_g + q_g),  o = sigmoid(p_o + q_o);
///             c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)
/// Gradient    with dh = dL/dh_t:  dc = dL/dc_t + dh o (1 - tanh(c_t)^2);
///             dp_i = dc g i (1 - i),  dp_f = dc c_{t-1} f (1 - f),  dp_g = dc i (1 - g^2),
///             dp_o = dh tanh(c_t) o (1 - o);  dq = dp;  dc_{t-1} = dc f,  dh_{t-1} = W_hh^T dq
/// Kept        i, f, g, o
/// Source      Hochreiter and Schmidhuber 1997, "Long short-term memory"; torch.nn.LSTM
struct LstmGates {
  static constexpr std::string_view kName = "Lstm";
  static constexpr Index kCount = 4, kKept = 4;
  static constexpr bool kHasCell = true, kSeesSum = true;

  template <class P>
  struct Step {
    P h, c;
    Array<P, kKept> kept;
  };
  template <class P>
  MINRNN_INLINE static Step<P> forward(const Array<P, kCount>& p, const Array<P, kCount>& q, P c_before) {
    const auto& [p_i, p_f, p_g, p_o] = p.values;
    const auto& [q_i, q_f, q_g, q_o] = q.values;
    const P i = sigmoid(p_i + q_i), f = sigmoid(p_f + q_f);
    const P g = tanh(p_g + q_g), o = sigmoid(p_o + q_o);
    const P c = fma(f, c_before, i * g);
    return {.h = o * tanh(c), .c = c, .kept = {i, f, g, o}};
  }

  template <class P>
  MINRNN_INLINE static StepAdjoint<P, kCount> backward(const Array<P, kKept>& kept, const StepCell<P>& c, P dh) {
    const auto& [i, f, g, o] = kept.values;
    const P squashed = tanh(c.after), dc = fma(dh * o, tanh_slope(squashed), c.d);
    const P dp_i = sigmoid_adjoint(i, dc * g), dp_f = sigmoid_adjoint(f, dc * c.before);
    const P dp_g = dc * i * tanh_slope(g), dp_o = sigmoid_adjoint(o, dh * squashed);
    const Array<P, kCount> dp{dp_i, dp_f, dp_g, dp_o};
    return {.dp = dp, .dq = dp, .d_before = dc * f};
  }
};

}  // namespace minrnn::detail
