// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

/// The product of a large query with a large key may leave the range of S although both are numbers. So a query is
/// divided by a unit, a power of two, and with it its scores; exponents are scores times the unit. Almost always the
/// unit is 1.
namespace minrnn::detail {

/// Whether no number of some columns is NaN or infinite.
template <class S>
bool all_finite(Columns<const S> x) {
  const Packet<S, 2> zero(as_written(S(0)));  // which a compiler could leave out of a product
  Packet<S, 2> zeros(S(0));
  for (Index j = 0; j < x.count; ++j) {
    const Row<const S> x_j = x[j];
    for_lanes<S, 2>(x.rows, [&](auto i) { zeros = fma(x_j[i], zero, zeros); });
  }
  return is_finite(zeros.sum());
}

/// The largest magnitude of n numbers; 0 where one is not finite, which no unit makes a number.
template <class S>
S largest_if_finite(Index n, Row<const S> x) {
  const Packet<S, 4> zero(as_written(S(0)));
  Packet<S, 4> most(S(0)), zeros(S(0));
  for_lanes<S, 4>(n, [&](auto i) {
    const Packet<S, 4> x_i = x[i];
    most = maximum(most, absolute(x_i));
    zeros = fma(x_i, zero, zeros);
  });
  return is_finite(zeros.sum()) ? most.largest() : S(0);
}

/// The unit of a query (E) whose largest magnitude is q beside keys whose largest is k.
template <class S>
S score_unit(Index size, S q, S k) {
  constexpr int kMost = std::numeric_limits<S>::max_exponent - 2;
  if (!(q > S(1) && k > S(1)) || !is_finite(q)) return S(1);
  const int exponent = std::ilogb(q) + std::ilogb(k) + std::ilogb(static_cast<S>(size)) + 3;
  return exponent <= kMost ? S(1) : std::ldexp(S(1), std::min<int>(exponent - kMost, kMost));
}

/// Finds the units (T) of queries (E, T) beside all of these keys, and divides the queries by them.
template <class S>
void divide_by_units(Columns<S> q, Columns<const S> k, S* units) {
  S most_k = 0;
  for (Index j = 0; j < k.count; ++j) most_k = std::max<S>(most_k, largest_if_finite<S>(k.rows, k[j]));
  for (Index t = 0; t < q.count; ++t) {
    units[t] = score_unit<S>(q.rows, largest_if_finite<S>(q.rows, q[t]), most_k);
    if (units[t] != S(1))
      for (Index e = 0; e < q.rows; ++e) q[t].data[e] /= units[t];
  }
}

}  // namespace minrnn::detail
