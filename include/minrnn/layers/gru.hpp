// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/layers/recurrent.hpp"

namespace minrnn {

namespace detail {

template <class S>
struct GruGates {
  static constexpr int kCount = 3;  // r, z, n
  static constexpr std::string_view kName = "Gru";
  static constexpr bool kHasCell = false, kSameGradient = false;
  using P = Packet<S>;

  struct Forward {
    std::array<P, 3> p, q;
    P h;                    // in h_{t-1}, out h_t
    std::array<P, 4> kept;  // r, z, n, q_n
  };
  MINRNN_INLINE static void forward(Forward& g) {
    const P r = sigmoid(g.p[0] + g.q[0]), z = sigmoid(g.p[1] + g.q[1]);
    const P n = tanh(fma(r, g.q[2], g.p[2]));
    g.h = fma(z, g.h - n, n);
    g.kept = {r, z, n, g.q[2]};
  }

  struct Backward {
    std::array<P, 4> kept;
    P h_before;
    P dh;  // in dL/dh_t, out the direct part of dL/dh_{t-1}
    std::array<P, 3> dp, dq;
  };
  MINRNN_INLINE static void backward(Backward& g) {
    const auto [r, z, n, q_n] = g.kept;
    const P one(S(1));
    const P dn = g.dh * (one - z) * fma(-n, n, one);
    const P dr = dn * q_n * r * (one - r);
    const P dz = g.dh * (g.h_before - n) * z * (one - z);
    g.dp = {dr, dz, dn};
    g.dq = {dr, dz, dn * r};
    g.dh = g.dh * z;
  }
};

}  // namespace detail

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
class Gru : public detail::Recurrent<S, detail::GruGates<S>> {
 public:
  Gru(Index inputs, Index features, RandomStream stream)
      : detail::Recurrent<S, detail::GruGates<S>>(inputs, features, stream) {}
};

}  // namespace minrnn
