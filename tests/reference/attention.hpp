// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "reference/given.hpp"

namespace minrnn::reference {

/// v (E) turned by t steps: the pair (e, e + E/2) by the angle t base^(-2 e / E), whose frequency is rounded to whole
/// turns in 2^20 steps. The adjoint of a turn is the turn by -t.
inline Vector turned(const Vector& v, Index t, double base) {
  const Index half = v.size() / 2;
  Vector result(v.size());
  for (Index e = 0; e < half; ++e) {
    const double frequency = std::pow(base, -static_cast<double>(e) / static_cast<double>(half));
    const double whole = std::max(std::round(frequency * 0x1p20 / (2 * std::numbers::pi)), 1.0);
    const double angle = static_cast<double>(t) * 2 * std::numbers::pi * whole / 0x1p20;
    result(e) = std::cos(angle) * v(e) - std::sin(angle) * v(half + e);
    result(half + e) = std::sin(angle) * v(e) + std::cos(angle) * v(half + e);
  }
  return result;
}

/// (q, k, v) = W_qkv x;  for each head of E features s_tj = <R(t) q_t, R(j) k_j> / sqrt(E) for the keys j of the last
/// `window` frames since the last start;  p_t = softmax(s_t);  o_t = sum_j p_tj v_j;  y = W_out o. From an empty state.
inline Found attention(const Given& given, Index heads, Index window, double base) {
  Found found(given);
  const Matrix<double> qkv = given["qkv/w"] * given.x, d_o = given["out/w"].transpose() * given.dy;
  const Index inner = d_o.rows(), size = inner / heads, time = given.time();
  Matrix<double> o = Matrix<double>::Zero(inner, time), dqkv = Matrix<double>::Zero(3 * inner, time);
  const double scale = 1 / std::sqrt(static_cast<double>(size));
  Index start = 0;
  for (Index t = 0; t < time; ++t) {
    if (given.start(t)) start = t;
    const Index first = std::max(start, t - window + 1), keys = t - first + 1;
    for (Index row = 0; row < inner; row += size) {
      const auto key = [&](Index j) { return turned(qkv.block(inner + row, first + j, size, 1), first + j, base); };
      const auto values = qkv.block(2 * inner + row, first, size, keys);
      const Vector q = turned(qkv.block(row, t, size, 1), t, base);
      Vector p(keys), dq = Vector::Zero(size);
      for (Index j = 0; j < keys; ++j) p(j) = scale * q.dot(key(j));
      p = (p.array() - p.maxCoeff()).exp();
      p /= p.sum();
      o.block(row, t, size, 1) = values * p;

      // dp_j = <do, v_j>,  ds_j = p_j (dp_j - sum_i p_i dp_i),  dq += ds_j k_j,  dk_j += ds_j q,  dv_j += p_j do
      const Vector head = d_o.block(row, t, size, 1), dp = values.transpose() * head;
      for (Index j = 0; j < keys; ++j) {
        const double ds = scale * p(j) * (dp(j) - p.dot(dp));
        dq += ds * key(j);
        dqkv.block(inner + row, first + j, size, 1) += turned(ds * q, -(first + j), base);
        dqkv.block(2 * inner + row, first + j, size, 1) += p(j) * head;
      }
      dqkv.block(row, t, size, 1) = turned(dq, -t, base);
    }
  }
  found.y = given["out/w"] * o;
  found.d("out/w") = given.dy * o.transpose();
  found.d("qkv/w") = dqkv * given.x.transpose();
  found.dx = given["qkv/w"].transpose() * dqkv;
  return found;
}

}  // namespace minrnn::reference
