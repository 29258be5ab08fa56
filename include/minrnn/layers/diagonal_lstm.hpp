// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal_lstm.hpp"
#include "minrnn/layers/diagonal_layer.hpp"
#include "minrnn/layers/diagonal_options.hpp"

namespace minrnn {

/// DiagonalLstm: an LSTM with coupled gates, which see of h and c their own channel alone, so that all its products
/// are of the input, for many steps at once.
///
/// Equations   f_t = sigmoid(a_f h_{t-1} + c_f c_{t-1} + W_f x_t + b_f),  g_t = tanh(a_g h_{t-1} + W_g x_t + b_g)
///             c_t = f_t c_{t-1} + (1 - f_t) g_t
///             o_t = sigmoid(a_o h_{t-1} + c_o c_t + W_o x_t + b_o),  h_t = o_t tanh(c_t)
/// Shapes      x (F, T, B), h (H, T, B); W (H, F), b, a and c_f, c_o (H); state h, c (H, B)
/// Gradient    (dh, dc)_{t-1} from (dh, dc)_t by a matrix (2, 2) for each channel: gates/diagonal_lstm.hpp
/// Parameters  w_f, b_f, a_f, c_f, w_g, b_g, a_g, w_o, b_o, a_o, c_o
/// Memory      kept for backward: 5 H scalars per step (f, g, o, c and h)
/// Throws      std::invalid_argument for a size below 1, an option that is no finite number, or a wrong shape
/// Source      Danieli et al. 2025, "ParaRNN: Unlocking Parallel Training of Nonlinear RNNs", arXiv:2510.21450
template <class S>
class DiagonalLstm : public detail::DiagonalLayer<S, detail::DiagonalLstmGates> {
 public:
  using Gates = detail::DiagonalLstmGates;  // by which a cell knows its layer

  DiagonalLstm(Index inputs, Index features, RandomStream stream,
               const DiagonalOptions& options = {.last_forget_bias = -1})
      : detail::DiagonalLayer<S, Gates>(inputs, features, stream, options) {}
};

}  // namespace minrnn
