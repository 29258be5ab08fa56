// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "minrnn/core/types.hpp"

namespace minrnn::reference {

/// The selective scan of one sequence as its equations read, the whole (T, D, N) expansion stored. u, raw, gate, y (D,
/// T); bc (2 N, T); a, state (D, N); skip (D). The gradients are those of <dy, y> + <dfinal, final state>.
struct SelectiveScan {
  using M = Matrix<double>;
  M y, final_state;
  M du, draw, dgate, dbc, da, dskip, dstate;

  SelectiveScan(const M& u, const M& raw, const M& gate, const M& bc, const M& a, const M& skip, const M& state,
                const std::vector<std::uint8_t>& starts, const M& dy, const M& dfinal) {
    const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
    const M delta = raw.unaryExpr([](double x) { return std::log1p(std::exp(x)); });
    const Index channels = a.rows(), states = a.cols(), time = u.cols();
    const auto start = [&](Index t) { return starts[static_cast<std::size_t>(t)] != 0; };
    std::vector<M> h{state};  // h[t] stands before step t
    M s = M::Zero(channels, time);
    for (Index t = 0; t < time; ++t) {
      M next(channels, states);
      for (Index d = 0; d < channels; ++d)
        for (Index n = 0; n < states; ++n) {
          const double before = start(t) ? 0 : h.back()(d, n);
          next(d, n) = std::exp(delta(d, t) * a(d, n)) * before + delta(d, t) * bc(n, t) * u(d, t);
          s(d, t) += bc(states + n, t) * next(d, n);
        }
      s.col(t) += skip.cwiseProduct(u.col(t));
      h.push_back(next);
    }
    final_state = h.back();
    const M gate_sigmoid = gate.unaryExpr(sigmoid), gate_silu = gate.cwiseProduct(gate_sigmoid);
    y = s.cwiseProduct(gate_silu);

    const M ds = dy.cwiseProduct(gate_silu);
    dgate = dy.cwiseProduct(s).cwiseProduct(
        gate_sigmoid + gate_silu.cwiseProduct(gate_sigmoid.unaryExpr([](double p) { return 1 - p; })));
    du.setZero(channels, time);
    draw.setZero(channels, time);
    dbc.setZero(2 * states, time);
    da.setZero(channels, states);
    dskip.setZero(channels, 1);
    M dh = dfinal;
    for (Index t = time; t-- > 0;)
      for (Index d = 0; d < channels; ++d) {
        du(d, t) += skip(d) * ds(d, t);
        dskip(d) += u(d, t) * ds(d, t);
        for (Index n = 0; n < states; ++n) {
          const double factor = std::exp(delta(d, t) * a(d, n)),
                       before = start(t) ? 0 : h[static_cast<std::size_t>(t)](d, n);
          const double g = dh(d, n) + bc(states + n, t) * ds(d, t);
          dbc(states + n, t) += h[static_cast<std::size_t>(t + 1)](d, n) * ds(d, t);
          dbc(n, t) += g * delta(d, t) * u(d, t);
          du(d, t) += g * delta(d, t) * bc(n, t);
          draw(d, t) += sigmoid(raw(d, t)) * g * (bc(n, t) * u(d, t) + a(d, n) * factor * before);
          da(d, n) += g * delta(d, t) * factor * before;
          dh(d, n) = start(t) ? 0 : g * factor;
        }
      }
    dstate = dh;
  }
};

}  // namespace minrnn::reference
