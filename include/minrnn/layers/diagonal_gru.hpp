// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_layer.hpp"
#include "minrnn/layers/diagonal_options.hpp"

namespace minrnn {

/// DiagonalGru: a GRU whose gates see of the state their own channel alone. It can keep a parity, which positive decays
/// of the input cannot, and its products are as those of minGRU: of the input, for many steps at once.
///
/// Equations   z_t = sigmoid(a_z h_{t-1} + W_z x_t + b_z),  r_t = sigmoid(a_r h_{t-1} + W_r x_t + b_r)
///             n_t = tanh(a_n (h_{t-1} r_t) + W_n x_t + b_n),  h_t = (1 - z_t) h_{t-1} + z_t n_t
/// Shapes      x (F, T, B), h (H, T, B); W (H, F), b and a (H); state h (H, B)
/// Gradient    delta_t = dh_t + J_{t+1} delta_{t+1} with J = dh_t / dh_{t-1}, a number for each channel:
///             gates/diagonal_gru.hpp
/// Silence     with x = 0 and b = 0, h = 0 stays 0, and there J = 1/2 + a_n / 4: a channel with a_n > 2, as one of six
///             has at first, leaves that point once it is off it, and gradients through a long exact silence from h = 0
///             grow beyond all range. A first state that is a little off 0 has no such gradients
/// Parameters  w_z, b_z, a_z, w_r, b_r, a_r, w_n, b_n, a_n
/// Memory      kept for backward: 4 H scalars per step (z, r, n and h)
/// Throws      std::invalid_argument for a size below 1, an option that is no finite number, or a wrong shape
/// Source      Danieli et al. 2025, "ParaRNN: Unlocking Parallel Training of Nonlinear RNNs", arXiv:2510.21450
template <class S>
class DiagonalGru : public detail::DiagonalLayer<S, detail::DiagonalGruGates> {
 public:
  using Gates = detail::DiagonalGruGates;  // by which a cell knows its layer

  DiagonalGru(Index inputs, Index features, RandomStream stream, const DiagonalOptions& options = {})
      : detail::DiagonalLayer<S, Gates>(inputs, features, stream, options) {}
};

}  // namespace minrnn
