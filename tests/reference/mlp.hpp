// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <numbers>

#include "reference/given.hpp"

namespace minrnn::reference {

/// GELU in its tanh form: gelu(u) = u (1 + tanh(c (u + 0.044715 u^3))) / 2 with c = sqrt(2 / pi).
inline double gelu(double u) {
  return u / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (u + 0.044715 * u * u * u)));
}
inline double gelu_slope(double u) {
  const double c = std::sqrt(2 / std::numbers::pi), tanh = std::tanh(c * (u + 0.044715 * u * u * u));
  return (1 + tanh) / 2 + u / 2 * (1 - tanh * tanh) * c * (1 + 3 * 0.044715 * u * u);
}

/// GELU as defined: gelu(u) = u Phi(u).
inline double exact_gelu(double u) { return u * std::erfc(-u / std::numbers::sqrt2) / 2; }
inline double exact_gelu_slope(double u) {
  return std::erfc(-u / std::numbers::sqrt2) / 2 + u * std::exp(-u * u / 2) / std::sqrt(2 * std::numbers::pi);
}

/// y = W_out a + b_out, where (u, v) = W_in x + b_in and a = gelu(u) v, or without v a = gelu(u)
inline Found mlp(const Given& given, bool is_gated, bool is_exact = false) {
  Found found(given);
  const auto gelu_of = is_exact ? exact_gelu : gelu, slope_of = is_exact ? exact_gelu_slope : gelu_slope;
  const Index inner = given["w_out"].cols();
  for (Index t = 0; t < given.time(); ++t) {
    const Vector x = given.x.col(t), k = affine(given, "w_in", "b_in", x);
    Vector a(inner), dk(k.size());
    for (Index i = 0; i < inner; ++i) a(i) = gelu_of(k(i)) * (is_gated ? k(inner + i) : 1);
    found.y.col(t) = affine(given, "w_out", "b_out", a);

    const Vector da = affine_adjoint(given, found, "w_out", "b_out", a, given.dy.col(t));
    for (Index i = 0; i < inner; ++i) {
      dk(i) = da(i) * slope_of(k(i)) * (is_gated ? k(inner + i) : 1);
      if (is_gated) dk(inner + i) = da(i) * gelu_of(k(i));
    }
    found.dx.col(t) = affine_adjoint(given, found, "w_in", "b_in", x, dk);
  }
  return found;
}

}  // namespace minrnn::reference
