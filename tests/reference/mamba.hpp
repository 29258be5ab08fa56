// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "reference/conv1d.hpp"
#include "reference/given.hpp"
#include "reference/min_gru_reference.hpp"
#include "reference/selective_scan.hpp"

namespace minrnn::reference {

/// u = silu(conv(W_in x)),  (B, C) = W_bc u,  raw = W_up W_down u + b_up,  y = W_out scan(u, softplus(raw), W_gate x,
/// B, C) with the selective scan of its own file and A = -exp(a_log). The state is the convolution's, and h (D N),
/// channels fastest.
inline Found mamba(const Given& given) {
  Found found(given);
  const Matrix<double>&x = given.x, a = -given["a_log"].array().exp();
  const Index channels = a.rows(), states = a.cols();
  const auto silu_slope = [](double v) { return sigmoid(v) * (1 + v * (1 - sigmoid(v))); };
  // The adjoint of W x for all frames.
  const auto through = [&](const std::string& w, const Matrix<double>& from, const Matrix<double>& d) {
    found.d(w) += d * from.transpose();
    return Matrix<double>(given[w].transpose() * d);
  };

  Given of_conv{{{"w", given["conv/w"]}, {"b", given["conv/b"]}}, given["in/w"] * x,
                Matrix<double>::Zero(channels, x.cols()),         {{"tail", given.state.at("conv/tail")}},
                {{"tail", given.dlast.at("conv/tail")}},          given.starts};
  const Matrix<double> filtered = conv1d(of_conv).y;
  const Matrix<double> u = filtered.unaryExpr([](double v) { return v * sigmoid(v); });
  const Matrix<double> low = given["delta_down/w"] * u, bc = given["bc/w"] * u, gate = given["gate/w"] * x;
  const Matrix<double> raw = (given["delta_up/w"] * low).colwise() + Vector(given["delta_up/b"]);
  const SelectiveScan scan(u, raw, gate, bc, a, given["skip"], given.state.at("h").reshaped(channels, states),
                           given.starts, given["out/w"].transpose() * given.dy,
                           given.dlast.at("h").reshaped(channels, states));
  found.y = given["out/w"] * scan.y;

  through("out/w", scan.y, given.dy);
  found.d("a_log") = scan.da.cwiseProduct(a);
  found.d("skip") = scan.dskip;
  found.d("delta_up/b") = scan.draw.rowwise().sum();
  const Matrix<double> dlow = through("delta_up/w", low, scan.draw);
  const Matrix<double> du = scan.du + through("bc/w", u, scan.dbc) + through("delta_down/w", u, dlow);
  of_conv.dy = du.cwiseProduct(filtered.unaryExpr(silu_slope));
  const Found conv = conv1d(of_conv);
  found.d("conv/w") = conv.gradients.at("w");
  found.d("conv/b") = conv.gradients.at("b");
  found.dx = through("in/w", x, conv.dx) + through("gate/w", x, scan.dgate);
  found.state = {{"conv/tail", conv.state.at("tail")}, {"h", scan.final_state.reshaped()}};
  found.dstate = {{"conv/tail", conv.dstate.at("tail")}, {"h", scan.dstate.reshaped()}};
  return found;
}

}  // namespace minrnn::reference
