// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// The multiply-adds of a frame for so many rows of gates: those of the product, and 24 for an exponential or so.
inline double gated_work(Index rows, Index inputs) {
  return static_cast<double>(rows) * static_cast<double>(inputs + 24);
}

/// A packet of each gate, from and to a row that holds the H features of all gates, gate after gate.
template <class P, Index gates, class S, class Lanes>
MINRNN_INLINE Array<P, gates> load_gates(Lanes i, Row<S> row, Index features) {
  Array<P, gates> values;
  unroll<gates>([&](auto gate) MINRNN_INLINE_LAMBDA { values[gate] = row.from(gate * features)[i]; });
  return values;
}
template <class P, Index gates, class S, class Lanes>
MINRNN_INLINE void store_gates(Lanes i, const Array<P, gates>& values, Row<S> row, Index features) {
  unroll<gates>([&](auto gate) MINRNN_INLINE_LAMBDA { row.from(gate * features)[i] = values[gate]; });
}

/// A packet of each of some vectors (H).
template <class P, Index count, class S, class Lanes>
MINRNN_INLINE Array<P, count> load_each(Lanes i, [[maybe_unused]] const Array<Row<const S>, count>& vectors) {
  Array<P, count> values;
  unroll<count>([&](auto n) MINRNN_INLINE_LAMBDA { values[n] = vectors[n][i]; });
  return values;
}

}  // namespace minrnn::detail
