// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/min_gru.hpp"
#include "minrnn/layers/minimal_layer.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// minGRU: a gated recurrence whose gates see only the input, so time can be scanned.
///
/// Equations   z_t = sigmoid(W_z x_t + b_z),  h~_t = g(W_h x_t + b_h)                                      [1, app. B]
///             h_t = (1 - z_t) h_{t-1} + z_t h~_t;  g as in math/activation.hpp
///             Candidate::plain: h~_t = W_h x_t + b_h                                                      [1, app. A]
///             Decay::flip: h_t = (1 - 2 z_t) h_{t-1} + z_t h~_t                                                  [2]
/// Shapes      x (F, T, B), h (H, T, B); W (H, F), b (H); state h (H, B)
/// Gradient    delta_t = dh_t + (1 - z_{t+1}) delta_{t+1};  dz_t = delta_t (h~_t - h_{t-1});  dh~_t = delta_t z_t;
///             Decay::flip has 2 z_{t+1} and 2 h_{t-1} for these
/// Parameters  w_z, b_z, w_h, b_h; h_0 (H) with learn_initial_state
/// Memory      kept for backward: 3 H scalars per step (z, h~ and h)
/// Throws      std::invalid_argument for a size below 1, a wrong shape, a negative state in log-space arithmetic
/// Source      [1] Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201
///             [2] Grazzi et al. 2024, arXiv:2411.12537, of linear recurrences
template <class S, Candidate candidate = Candidate::positive, Arithmetic arithmetic = Arithmetic::linear,
          Decay decay = Decay::positive>
class MinGru : public detail::MinimalLayer<S, detail::MinGruGates<candidate, arithmetic, decay>> {
 public:
  using Gates = detail::MinGruGates<candidate, arithmetic, decay>;  // by which a cell knows its layer

  MinGru(Index inputs, Index features, RandomStream stream, const MinimalOptions& options = {})
      : detail::MinimalLayer<S, Gates>(inputs, features, stream, options) {}
};

/// minGRU whose state may change its sign.
template <class S>
using SignedMinGru = MinGru<S, Candidate::plain, Arithmetic::linear, Decay::flip>;

}  // namespace minrnn
