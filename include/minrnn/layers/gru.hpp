// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/gru.hpp"
#include "minrnn/layers/recurrent.hpp"

namespace minrnn {

/// GRU, the sequential baseline: PyTorch's equations, gate order and parameter shapes.
///
/// Equations   r_t = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
///             z_t = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
///             n_t = tanh(W_in x_t + b_in + r_t (W_hn h_{t-1} + b_hn)),  h_t = (1 - z_t) n_t + z_t h_{t-1}
/// Shapes      x (F, T, B), h (H, T, B); weight_ih (3 H, F), weight_hh (3 H, H), biases (3 H), rows r, z, n;
///             state h (H, B)
/// Gradient    dn_t = dh_t (1 - z_t);  dz_t = dh_t (h_{t-1} - n_t);  dh_{t-1} = dh_t z_t + W_hh^T dq_t, time backwards
/// Parameters  weight_ih, weight_hh, bias_ih, bias_hh
/// Memory      kept for backward: 5 H scalars per step
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder"; torch.nn.GRU
template <class S>
class Gru : public detail::Recurrent<S, detail::GruGates> {
 public:
  using Gates = detail::GruGates;  // by which a cell knows its layer

  Gru(Index inputs, Index features, RandomStream stream) : detail::Recurrent<S, Gates>(inputs, features, stream) {}
};

}  // namespace minrnn
