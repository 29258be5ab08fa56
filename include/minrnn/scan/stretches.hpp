// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/parallel.hpp"
#include "minrnn/scan/operators.hpp"

namespace minrnn::detail {

/// Steps [first, last) of one sequence, and the tile they belong to.
struct Stretch {
  Index sequence, first, last, tile, worker;
};

enum class Direction { forward, backward };

/// Runs a recurrence over every sequence on all threads. carry (H, B) enters as what stands before the first step (after
/// the last one, where the direction is backward) and leaves as what the recurrence carries at the other end.
///
/// Where the tiling splits time, in two passes:
///
///     summarise     [ (a,b) ]  [ (a,b) ]  [ (a,b) ]     each stretch as one operator, in parallel
///     carry      h ->  op  ->  h -> op ->  h -> op -> h  a row of H values per stretch, in order
///     run           [ h ... ]  [ h ... ]  [ h ... ]     each stretch from its exact carry, in parallel
///
/// summarise(stretch, a, b): composes the operators of the stretch onto the rows a and b (H each), given as the identity.
/// run(stretch, row): from the row before the stretch to the row after it.
template <template <class> class Operator, class S, class Summarise, class Run>
void run_stretches(const Tiling& tiling, Direction direction, Matrix<S>& carry, Summarise&& summarise, Run&& run) {
  if (tiling.parts() == 1) {
    parallel_for(tiling.count(), [&](Index tile, Index worker) {
      const auto [first, last, first_step, last_step] = tiling[tile];
      for (Index b = first; b < last; ++b) run(Stretch{b, first_step, last_step, tile, worker}, carry.col(b).data());
    });
    return;
  }
  const Index features = carry.rows(), parts = tiling.parts(), count = tiling.count();
  const auto stretch = [&](Index tile, Index worker) {
    const auto t = tiling[tile];
    return Stretch{t.first_sequence, t.first_step, t.last_step, tile, worker};
  };
  Matrix<S> a = Matrix<S>::Constant(features, count, Operator<Packet<S>>::identity_a);
  Matrix<S> b = Matrix<S>::Constant(features, count, Operator<Packet<S>>::identity_b);
  parallel_for(count, [&](Index tile, Index worker) {
    summarise(stretch(tile, worker), a.col(tile).data(), b.col(tile).data());
  });
  Matrix<S> rows(features, count);  // what enters each stretch
  for (Index sequence = 0; sequence < carry.cols(); ++sequence)
    for (Index step = 0; step < parts; ++step) {
      const Index part = direction == Direction::forward ? step : parts - 1 - step;
      const Index tile = sequence * parts + part;
      S* row = carry.col(sequence).data();
      for_lanes<S>(features, [&](auto lanes) {
        const Packet<S> before = lanes.load(row);
        lanes.store(rows.col(tile).data(), before);
        const Operator<Packet<S>> whole{lanes.load(a.col(tile).data()), lanes.load(b.col(tile).data())};
        lanes.store(row, whole(before));
      });
    }
  parallel_for(count, [&](Index tile, Index worker) { run(stretch(tile, worker), rows.col(tile).data()); });
}

/// Composes one more operator onto the summary rows.
template <class Operator, class Lanes, class S>
MINRNN_INLINE void compose(Lanes lanes, const Operator& next, S* a, S* b) {
  const Operator whole = Operator{lanes.load(a), lanes.load(b)}.then(next);
  lanes.store(a, whole.a);
  lanes.store(b, whole.b);
}

}  // namespace minrnn::detail
