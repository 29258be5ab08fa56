// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/scan/gate_blocks.hpp"
#include "minrnn/scan/stretches.hpp"

/// The recurrence of gates that see the state through diagonal weights, from x to h and back. The state is h and, for
/// some gates, c: N vectors (H). x (F, T, B); h (H, T, B); kept ((G + N - 1) H, T, B): what the gates keep, and c
/// behind it.
///
/// Two steps in a row are no map of the same kind as one of them, as those of a linear recurrence are. So time is not
/// divided: a tile is some whole sequences, and a sequence is walked by one thread, however long it is. (Its channels
/// meet in dx alone; but to share them among threads, dk of all steps would have to be kept.)
namespace minrnn::detail {

/// k_t = W x_t + b for each gate;  state_t = Gates(k_t, state_{t-1}), where the state before a start is zero.
template <class S, class Gates, bool keep>
struct DiagonalWalkForward {
  static constexpr Index kGates = Gates::kCount, kDiagonals = Gates::kDiagonals, kStates = Gates::kStates;
  // Registers side by side: a step is a chain of three functions that wait for each other, and the next step waits for
  // all of them.
  static constexpr int kWide = 4;

  GateBlocks<S, kGates> gates;
  SequenceView<S> h, kept;
  Array<Row<const S>, kDiagonals> diagonal;

  /// states (N H, B): before the first step, and after the last.
  void operator()(const Context& context, const Tiling& tiling, Matrix<S>& states) const {
    run_sequences(context, tiling, states, [&](Stretch s, S* row) { run(s, Row<S>(row)); });
  }

 private:
  void run(Stretch s, Row<S> row) const {
    const Index features = h.features();
    gates.template for_blocks<kWide>(s, [&](auto i, Index first, Index steps) {
      using P = typename decltype(i)::P;
      const auto weights = load_each<P, kDiagonals, S>(i, diagonal);
      auto state = load_gates<P, kStates>(i, row, features);
      gates.for_steps(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        gates.template ask_for<1>(h, i, s, t);
        if constexpr (keep) gates.template ask_for<kGates + kStates - 1>(kept, i, s, t);
        if (gates.x.starts(t, s.sequence)) unroll<kStates>([&](auto n) { state[n] = P(S(0)); });
        const auto step = Gates::forward(k, state, weights);
        state = step.state;
        h.row(t, s.sequence)[i] = state[0];
        if constexpr (keep) {
          store_gates(i, step.kept, kept.row(t, s.sequence), features);
          unroll<kStates - 1>([&](auto n) { kept.row(t, s.sequence).from((kGates + n) * features)[i] = state[n + 1]; });
        }
      });
      store_gates(i, state, row, features);
    });
  }
};

/// d_t = dL/dstate_t, with dh_t and what the step after it hands on;  dk_t and what step t hands on by Gates;
/// dW = sum dk_t x_t^T;  db = sum dk_t;  dx_t = W^T dk_t. Nothing is handed on by a start.
template <class S, class Gates>
struct DiagonalWalkBackward {
  static constexpr Index kGates = Gates::kCount, kDiagonals = Gates::kDiagonals, kStates = Gates::kStates;
  using Gradients = GateGradients<S, kGates, kDiagonals>;
  using SumsOfTile = typename Gradients::SumsOfTile;

  const Gradients& gradients;
  SequenceView<const S> dy, h, kept;
  Columns<const S> first;  // (N H, B) the states before the first step
  Array<Row<const S>, kDiagonals> diagonal;

  /// dstates (N H, B): what reaches the states after the last step, and before the first.
  void operator()(const Context& context, const Tiling& tiling, Matrix<S>& dstates) const {
    run_sequences(context, tiling, dstates, [&](Stretch s, S* row) {
      gradients.run(s, {dy, h, kept}, [&](Index first_step, Columns<S> dk, const SumsOfTile& of_tile) {
        through_time(s, first_step, dk, Row<S>(row), of_tile);
      });
    });
  }

 private:
  void through_time(Stretch s, Index first_step, Columns<S> dk, Row<S> row, const SumsOfTile& of_tile) const {
    const Index features = h.features();
    const Row<S> of_vectors = Gradients::biases(of_tile);
    for_lanes<S, kInterleaved>(features, [&](auto i) {
      using P = typename decltype(i)::P;
      const auto weights = load_each<P, kDiagonals, S>(i, diagonal);
      auto carried = load_gates<P, kStates>(i, row, features);
      auto sums = load_gates<P, kGates + kDiagonals>(i, of_vectors, features);
      auto after = state<P>(i, first_step + dk.count, s.sequence);
      for (Index t = first_step + dk.count - 1; t >= first_step; --t) {
        const bool start = gradients.x.starts(t, s.sequence);
        const auto kept_before = state<P>(i, t, s.sequence);
        auto before = kept_before;
        if (start) unroll<kStates>([&](auto n) { before[n] = P(S(0)); });
        carried[0] = dy.row(t, s.sequence)[i] + carried[0];
        const auto d = Gates::backward(load_gates<P, kGates>(i, kept.row(t, s.sequence), features), before, after,
                                       carried, weights);
        store_gates(i, d.dk, dk[t - first_step], features);
        unroll<kGates>([&](auto gate) { sums[gate] = sums[gate] + d.dk[gate]; });
        unroll<kDiagonals>([&](auto n) { sums[kGates + n] = sums[kGates + n] + d.ddiagonal[n]; });
        unroll<kStates>([&](auto n) { carried[n] = start ? P(S(0)) : d.dbefore[n]; });
        after = kept_before;
      }
      store_gates(i, sums, of_vectors, features);
      store_gates(i, carried, row, features);
    });
  }

  /// The state before step t of a sequence, as if none started there.
  template <class P, class Lanes>
  MINRNN_INLINE Array<P, kStates> state(Lanes i, Index t, Index sequence) const {
    if (t == 0) return load_gates<P, kStates>(i, first[sequence], h.features());
    Array<P, kStates> values;
    values[0] = h.row(t - 1, sequence)[i];
    unroll<kStates - 1>([&](auto n) MINRNN_INLINE_LAMBDA {
      values[n + 1] = kept.row(t - 1, sequence).from((kGates + n) * h.features())[i];
    });
    return values;
  }
};

}  // namespace minrnn::detail
