// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/lstm.hpp"
#include "minrnn/layers/recurrent.hpp"

namespace minrnn {

/// LSTM, the sequential baseline: PyTorch's equations, gate order and parameter shapes.
///
/// Equations   (i, f, g, o)_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, through sigmoid, sigmoid, tanh, sigmoid
///             c_t = f_t c_{t-1} + i_t g_t,  h_t = o_t tanh(c_t)
/// Shapes      x (F, T, B), h (H, T, B); weight_ih (4 H, F), weight_hh (4 H, H), biases (4 H), rows i, f, g, o;
///             state h, c (H, B)
/// Gradient    dc_t += dh_t o_t (1 - tanh(c_t)^2);  di = dc g, df = dc c_{t-1}, dg = dc i, do = dh tanh(c);
///             dc_{t-1} = dc_t f_t;  dh_{t-1} = W_hh^T dq_t, time backwards
/// Parameters  weight_ih, weight_hh, bias_ih, bias_hh
/// Memory      kept for backward: 6 H scalars per step
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      Hochreiter and Schmidhuber 1997, "Long short-term memory"; torch.nn.LSTM
template <class S>
class Lstm : public detail::Recurrent<S, detail::LstmGates> {
 public:
  using Gates = detail::LstmGates;  // by which a cell knows its layer

  Lstm(Index inputs, Index features, RandomStream stream) : detail::Recurrent<S, Gates>(inputs, features, stream) {}
};

}  // namespace minrnn
