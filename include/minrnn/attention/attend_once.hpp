// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>

#include "minrnn/attention/key_ring.hpp"
#include "minrnn/attention/score_unit.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn::detail {

template <class S>
struct ScoresInUnit {
  S largest;
  bool finite;  // all of them
};

/// s_i = <q / unit, k_i> over `count` keys from the one of position `first` on.
template <class S>
ScoresInUnit<S> scores_in_unit(S unit, Row<const S> q, const KeyRing<S>& ring, Index first, Index count, Row<S> s) {
  using P = Packet<S>;
  const P by(1 / unit);
  S largest = std::numeric_limits<S>::lowest();
  bool finite = true;
  for (Index i = 0; i < count; ++i) {
    const Row<const S> k = ring.key(first + i);
    P sum(S(0));
    for_lanes<S>(ring.features(), [&](auto e) { sum = fma(q[e] * by, k[e], sum); });
    s.data[i] = sum.sum();
    largest = std::max<S>(largest, s.data[i]);
    finite &= is_finite(s.data[i]);
  }
  return {largest, finite};
}

/// The attention of a step: one query (E) over what a ring holds.
///
/// Equations   s_i = <q, k_i> for `count` keys from the one of position `first` on;  p = softmax(s);  o = sum_i p_i v_i
/// Shapes      q, o (E); weights: scratch (count)
template <class S>
void attend_once(Row<const S> q, const KeyRing<S>& ring, Index first, Index count, Row<S> weights, Row<S> o) {
  using P = Packet<S>;
  const Index size = ring.features();
  S unit = 1, total = 0;
  auto found = scores_in_unit(unit, q, ring, first, count, weights);
  if (!found.finite) [[unlikely]] {  // a score beyond the range of S shows when it is there
    S most_k = 0;
    for (Index i = 0; i < count; ++i) most_k = std::max<S>(most_k, largest_if_finite<S>(size, ring.key(first + i)));
    unit = score_unit(size, largest_if_finite(size, q), most_k);
    found = scores_in_unit(unit, q, ring, first, count, weights);
  }
  const Row<const S> s = weights;
  for_lanes<S>(count, [&](auto i) { weights[i] = exp((s[i] - found.largest) * unit); });
  for (Index i = 0; i < count; ++i) total += weights.data[i];
  for_lanes<S>(size, [&](auto e) {
    P sum(S(0));
    for (Index i = 0; i < count; ++i) sum = fma(P(ring.value(first + i)[e]), P(weights.data[i]), sum);
    o[e] = sum * P(1 / total);
  });
}

}  // namespace minrnn::detail
