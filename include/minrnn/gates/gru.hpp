// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/step_gates.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn::detail {

/// GRU.
///
/// Equations   r = sigmoid(p_r + q_r),  z = sigmoid(p_z + q_z),  n = tanh(p_n + r q_n);  h_t = (1 - z) n + z h_{t-1}
/// Gradient    with dh = dL/dh_t:  dp_n = dh (1 - z) (1 - n^2),  dp_r = dp_n q_n r (1 - r),
///             dp_z = dh (h_{t-1} - n) z (1 - z);  dq = (dp_r, dp_z, dp_n r);  dh_{t-1} = dh z + W_hh^T dq
/// Kept        r, z, n, q_n
/// Source      Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder"; torch.nn.GRU
struct GruGates {
  static constexpr std::string_view kName = "Gru";
  static constexpr Index kCount = 3, kKept = 4;
  static constexpr bool kHasCell = false, kSeesSum = false;  // q_n is seen through r

  template <class P>
  struct Step {
    P h;
    Array<P, kKept> kept;
  };
  template <class P>
  MINRNN_INLINE static Step<P> forward(const Array<P, kCount>& p, const Array<P, kCount>& q, P h_before) {
    const auto& [p_r, p_z, p_n] = p.values;
    const auto& [q_r, q_z, q_n] = q.values;
    const P r = sigmoid(p_r + q_r), z = sigmoid(p_z + q_z);
    const P n = tanh(fma(r, q_n, p_n));
    return {.h = fma(z, h_before - n, n), .kept = {r, z, n, q_n}};
  }

  template <class P>
  MINRNN_INLINE static StepAdjoint<P, kCount> backward(const Array<P, kKept>& kept, P h_before, P dh) {
    const auto& [r, z, n, q_n] = kept.values;
    const P dp_n = dh * (P(typename P::Scalar(1)) - z) * tanh_slope(n);
    const P dp_r = sigmoid_adjoint(r, dp_n * q_n), dp_z = sigmoid_adjoint(z, dh * (h_before - n));
    return {.dp = {dp_r, dp_z, dp_n}, .dq = {dp_r, dp_z, dp_n * r}, .d_before = dh * z};
  }
};

}  // namespace minrnn::detail
