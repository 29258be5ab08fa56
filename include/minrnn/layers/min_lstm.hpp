// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/min_lstm.hpp"
#include "minrnn/layers/minimal_layer.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// minLSTM: forget and input gates that see only the input, so time can be scanned.
///
/// Equations   f_t = sigmoid(W_f x_t + b_f),  i_t = sigmoid(W_i x_t + b_i),  h~_t = g(W_h x_t + b_h)       [1, app. B]
///             h_t = f'_t h_{t-1} + i'_t h~_t with f' = f / (f + i), i' = i / (f + i)
///             GateScaling::unnormalised: f' = f, i' = i; Candidate::plain: h~_t = W_h x_t + b_h
///             Decay::flip: h_t = (f'_t - i'_t) h_{t-1} + i'_t h~_t                                               [2]
/// Shapes      x (F, T, B), h (H, T, B); W (H, F), b (H); state h (H, B)
/// Gradient    delta_t = dh_t + f'_{t+1} delta_{t+1};  df'_t = delta_t h_{t-1};  di'_t = delta_t h~_t;
///             dh~_t = delta_t i'_t;  Decay::flip: f'_{t+1} - i'_{t+1}, and di'_t = delta_t (h~_t - h_{t-1})
/// Parameters  w_f, b_f, w_i, b_i, w_h, b_h; h_0 (H) with learn_initial_state
/// Memory      kept for backward: 4 H scalars per step (what the gates keep, h~ and h)
/// Throws      std::invalid_argument for a size below 1, a wrong shape, a negative state in log-space arithmetic
/// Source      [1] Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201, and its official code
///             [2] Grazzi et al. 2024, arXiv:2411.12537, of linear recurrences
template <class S, GateScaling scaling = GateScaling::normalised, Candidate candidate = Candidate::positive,
          Arithmetic arithmetic = Arithmetic::linear, Decay decay = Decay::positive>
class MinLstm : public detail::MinimalLayer<S, detail::MinLstmGates<scaling, candidate, arithmetic, decay>> {
 public:
  using Gates = detail::MinLstmGates<scaling, candidate, arithmetic, decay>;  // by which a cell knows its layer

  MinLstm(Index inputs, Index features, RandomStream stream, const MinimalOptions& options = {})
      : detail::MinimalLayer<S, Gates>(inputs, features, stream, options) {}
};

/// minLSTM whose state may change its sign.
template <class S, GateScaling scaling = GateScaling::normalised>
using SignedMinLstm = MinLstm<S, scaling, Candidate::plain, Arithmetic::linear, Decay::flip>;

}  // namespace minrnn
