// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/scan/operators.hpp"

namespace minrnn::detail {

/// Steps [first, last) of one sequence, and the tile they belong to.
struct Stretch {
  Index sequence, first, last, tile, worker;
  bool begins_tile = true;  // not the second sequence of a tile, nor a later one
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

inline Stretch stretch_of(const Tiling& tiling, Index tile, Index worker) {
  const auto t = tiling[tile];
  return {t.first_sequence, t.first_step, t.last_step, tile, worker};
}
inline bool has_start(const Stretch& s, Starts starts) {
  for (Index t = s.first; t < s.last; ++t)
    if (starts(t, s.sequence)) return true;
  return false;
}

/// The middle of `run_stretches`: from the operator (a, b) of each stretch to the row that enters it. carry goes from
/// what enters the first stretch of a sequence to what leaves the last.
template <class Whole, class S>
void carry_across(const Tiling& tiling, Direction direction, Starts starts, const Matrix<S>& a, const Matrix<S>& b,
                  Matrix<S>& carry, Matrix<S>& rows) {
  using Carried = typename Whole::Carried;
  const Index features = carry.rows() / kPlanes<Carried>, parts = tiling.parts();
  for (Index sequence = 0; sequence < carry.cols(); ++sequence)
    for (Index step = 0; step < parts; ++step) {
      const Index part = direction == Direction::forward ? step : parts - 1 - step, tile = sequence * parts + part;
      const bool forgets = has_start(stretch_of(tiling, tile, 0), starts);
      S* row = carry.col(sequence).data();
      for_lanes<S>(features, [&](auto lanes) {
        const auto before = load_carried<Carried>(lanes, row, features);
        store_carried(lanes, rows.col(tile).data(), features, before);
        const auto whole = load_operator<Whole>(lanes, a.col(tile).data(), b.col(tile).data(), features);
        store_carried(lanes, row, features, forgets ? whole.b : whole(before));
      });
    }
}

/// Calls run(stretch, row) for every sequence whole, on all threads, where the tiling divides no time. The row is the
/// column of the sequence in carry.
template <class S, class Run>
void run_sequences(const Context& context, const Tiling& tiling, Matrix<S>& carry, Run&& run) {
  parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index worker) {
    const auto t = tiling[tile];
    for (Index b = t.first_sequence; b < t.last_sequence; ++b)
      run(Stretch{b, t.first_step, t.last_step, tile, worker, b == t.first_sequence}, carry.col(b).data());
  });
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
requires ScanOperator<Operator<Packet<S>>>
void run_stretches(const Context& context, const Tiling& tiling, Direction direction, Starts starts, Matrix<S>& carry,
                   Summarise&& summarise, Run&& run) {
  if (tiling.parts() == 1) return run_sequences(context, tiling, carry, run);
  using Whole = Operator<Packet<S>>;
  const Index features = carry.rows() / kPlanes<typename Whole::Carried>, count = tiling.count();
  Matrix<S> a(carry.rows(), count), b(carry.rows(), count), rows(carry.rows(), count);
  parallel_for(context, count, tiling.work(), [&](Index tile, Index worker) {
    S *whole_a = a.col(tile).data(), *whole_b = b.col(tile).data();
    for_lanes<S>(features, [&](auto lanes) { store_operator(lanes, Whole::identity(), whole_a, whole_b, features); });
    summarise(stretch_of(tiling, tile, worker), whole_a, whole_b);
  });
  carry_across<Whole>(tiling, direction, starts, a, b, carry, rows);
  parallel_for(context, count, tiling.work(),
               [&](Index tile, Index worker) { run(stretch_of(tiling, tile, worker), rows.col(tile).data()); });
}

}  // namespace minrnn::detail
