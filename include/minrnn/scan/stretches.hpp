// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/scan/operators.hpp"

namespace minrnn::detail {

/// Steps [first, last) of one sequence, and the tile they belong to.
struct Stretch {
  Index sequence, first, last, tile, worker;
};

enum class Direction { forward, backward };

template <class Operator, class Lanes, class S>
MINRNN_INLINE Operator load_operator(Lanes lanes, const S* a, const S* b, Index features) {
  using Carried = typename Operator::Carried;
  return {load_carried<Carried>(lanes, a, features), load_carried<Carried>(lanes, b, features)};
}
template <class Operator, class Lanes, class S>
MINRNN_INLINE void store_operator(Lanes lanes, const Operator& whole, S* a, S* b, Index features) {
  store_carried(lanes, a, features, whole.a);
  store_carried(lanes, b, features, whole.b);
}
/// Composes one more operator onto the summary rows; where it forgets what came before it, it takes their place.
template <class Operator, class Lanes, class S>
MINRNN_INLINE void compose(Lanes lanes, const Operator& next, bool forgets, S* a, S* b, Index features) {
  store_operator(lanes, forgets ? next : load_operator<Operator>(lanes, a, b, features).then(next), a, b, features);
}

/// Runs a recurrence over every sequence on all threads. carry (H, B), or two such planes one below the other, enters
/// as what stands before the first step (after the last one, where the direction is backward) and leaves as what the
/// recurrence carries at the other end.
///
/// Where the tiling splits time, in two passes:
///
///     summarise     [ (a,b) ]  [ (a,b) ]  [ (a,b) ]     each stretch as one operator, in parallel
///     carry      h ->  op  ->  h -> op ->  h -> op -> h  a row per stretch, in order
///     run           [ h ... ]  [ h ... ]  [ h ... ]     each stretch from its exact carry, in parallel
///
/// Nothing is carried across a start, in either direction, not even a NaN: a stretch with a start in it has the b of
/// its operator as its result, which is not computed as 0 times what came before.
///
/// summarise(stretch, a, b): composes the operators of the stretch onto the rows a and b, given as the identity.
/// run(stretch, row): from the row before the stretch to the row after it.
template <template <class> class Operator, class S, class Summarise, class Run>
void run_stretches(const Context& context, const Tiling& tiling, Direction direction, Starts starts, Matrix<S>& carry,
                   Summarise&& summarise, Run&& run) {
  if (tiling.parts() == 1) {
    parallel_for(context, tiling.count(), [&](Index tile, Index worker) {
      const auto [first, last, first_step, last_step] = tiling[tile];
      for (Index b = first; b < last; ++b) run(Stretch{b, first_step, last_step, tile, worker}, carry.col(b).data());
    });
    return;
  }
  using Whole = Operator<Packet<S>>;
  using Carried = typename Whole::Carried;
  const Index features = carry.rows() / kPlanes<Carried>, parts = tiling.parts(), count = tiling.count();
  const auto stretch = [&](Index tile, Index worker) {
    const auto t = tiling[tile];
    return Stretch{t.first_sequence, t.first_step, t.last_step, tile, worker};
  };
  Matrix<S> a(carry.rows(), count), b(carry.rows(), count);
  parallel_for(context, count, [&](Index tile, Index worker) {
    S *whole_a = a.col(tile).data(), *whole_b = b.col(tile).data();
    for_lanes<S>(features, [&](auto lanes) { store_operator(lanes, Whole::identity(), whole_a, whole_b, features); });
    summarise(stretch(tile, worker), whole_a, whole_b);
  });
  const auto has_start = [&](Index tile) {
    const auto t = tiling[tile];
    for (Index step = t.first_step; step < t.last_step; ++step)
      if (starts(step, t.first_sequence)) return true;
    return false;
  };
  Matrix<S> rows(carry.rows(), count);  // what enters each stretch
  for (Index sequence = 0; sequence < carry.cols(); ++sequence)
    for (Index step = 0; step < parts; ++step) {
      const Index part = direction == Direction::forward ? step : parts - 1 - step;
      const Index tile = sequence * parts + part;
      const bool forgets = has_start(tile);
      S* row = carry.col(sequence).data();
      for_lanes<S>(features, [&](auto lanes) {
        const auto before = load_carried<Carried>(lanes, row, features);
        store_carried(lanes, rows.col(tile).data(), features, before);
        const auto whole = load_operator<Whole>(lanes, a.col(tile).data(), b.col(tile).data(), features);
        store_carried(lanes, row, features, forgets ? whole.b : whole(before));
      });
    }
  parallel_for(context, count, [&](Index tile, Index worker) { run(stretch(tile, worker), rows.col(tile).data()); });
}

}  // namespace minrnn::detail
