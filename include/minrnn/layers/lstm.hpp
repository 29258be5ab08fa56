// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/layers/recurrent.hpp"

namespace minrnn {

namespace detail {

template <class S>
struct LstmGates {
  static constexpr int kCount = 4;  // i, f, g, o
  static constexpr std::string_view kName = "Lstm";
  static constexpr bool kHasCell = true, kSameGradient = true;
  using P = Packet<S>;

  struct Forward {
    std::array<P, 4> p, q;
    P h, c;                 // in h_{t-1}, c_{t-1}; out h_t, c_t
    std::array<P, 4> kept;  // i, f, g, o
  };
  MINRNN_INLINE static void forward(Forward& s) {
    const P i = sigmoid(s.p[0] + s.q[0]), f = sigmoid(s.p[1] + s.q[1]);
    const P g = tanh(s.p[2] + s.q[2]), o = sigmoid(s.p[3] + s.q[3]);
    s.c = fma(f, s.c, i * g);
    s.h = o * tanh(s.c);
    s.kept = {i, f, g, o};
  }

  struct Backward {
    std::array<P, 4> kept;
    P h_before, c, c_before;
    P dh, dc;  // in dL/dh_t, dL/dc_t; out the direct parts of dL/dh_{t-1}, dL/dc_{t-1}
    std::array<P, 4> dp;
  };
  MINRNN_INLINE static void backward(Backward& s) {
    const auto [i, f, g, o] = s.kept;
    const P one(S(1)), squashed = tanh(s.c);
    const P dc = fma(s.dh * o, fma(-squashed, squashed, one), s.dc);
    s.dp = {dc * g * i * (one - i), dc * s.c_before * f * (one - f), dc * i * fma(-g, g, one),
            s.dh * squashed * o * (one - o)};
    s.dc = dc * f;
    s.dh = P(S(0));
  }
};

}  // namespace detail

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
class Lstm : public detail::Recurrent<S, detail::LstmGates<S>> {
 public:
  Lstm(Index inputs, Index features, RandomStream stream)
      : detail::Recurrent<S, detail::LstmGates<S>>(inputs, features, stream) {}
};

}  // namespace minrnn
