// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/attention/head_parts.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/lanes.hpp"

namespace minrnn::detail {

/// dq of the queries of a head, whose keys come part by part: the sum over the parts, the last one first.
///
/// A place is where the parts of one head meet: that of a worker, or of a head that is divided.
template <class S>
class QueryGradients {
 public:
  /// For so many rows (padded E) of T queries, `own` columns of which may be at work at a time.
  void resize(Index rows, Index time, Index places, Index own) {
    sums_.resize(rows, time, places);
    parts_.resize(rows, time, own);
  }
  void clear(Index place) { sums_.view().matrix(place).setZero(); }

  /// Where a part has its dq: the last one, with which the sum begins, in the sum itself.
  Columns<S> of(HeadPart part, Index place, Index own) {
    return part.is_last() ? sum(place) : parts_.view().columns(0, parts_.time(), own);
  }
  /// Adds that of a part, of the queries that see it.
  void add(HeadPart part, HeadPart::Range queries, Index place, Index own) {
    if (part.is_last()) return;
    const Columns<S> total = sum(place), dq = of(part, place, own);
    for (Index t = queries.first; t < queries.last; ++t)
      for_lanes<S>(total.rows, [&](auto i) { total[t][i] += dq[t][i]; });
  }
  Columns<S> sum(Index place) { return sums_.view().columns(0, sums_.time(), place); }

 private:
  Sequence<S> sums_, parts_;  // (padded E, T, places), (padded E, T, own)
};

}  // namespace minrnn::detail
