// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/channel_tiling.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/scan/arguments.hpp"
#include "minrnn/scan/channel_groups.hpp"
#include "minrnn/scan/selective_block.hpp"

namespace minrnn {

/// What the selective scan reads: D channels of N states each.
template <class S>
struct SelectiveScanInputs {
  SequenceView<const S> u;     // (D, T, B), with the starts
  SequenceView<const S> raw;   // (D, T, B) step sizes before softplus
  SequenceView<const S> gate;  // (D, T, B) before silu
  SequenceView<const S> bc;    // (2 N, T, B) B_t, then C_t
  const Matrix<S>& a;          // (D, N), not above 0
  const Matrix<S>& skip;       // (D)
};

template <class S>
struct SelectiveScanGradients {
  SequenceView<S> du, draw, dgate;  // (D, T, B)
  SequenceView<S> dbc;              // (2 N, T, B)
  Matrix<S>&da, &dskip;             // (D, N), (D)
};

/// What `selective_scan` keeps for its adjoint, and scratch: memory that the caller lends to one after the other.
template <class S>
struct SelectiveScanCache : CacheBase {
  Sequence<S> borders;    // (D N, blocks, B) the states before each block, kept for the adjoint
  Sequence<S> scratch;    // of each worker
  Sequence<S> block_dbc;  // (2 N, block, workers) dbc of a group of channels in one block
  Sequence<S> of_groups;  // (2 N, T, B groups) dbc of each group of channels
  Sequence<S> sums;       // of each tile: dA, dskip
};

namespace detail {

/// Throws unless the inputs fit each other, and the other sequences of channels and the states fit them.
template <class S>
void check_selective_scan(std::string_view where, const SelectiveScanInputs<S>& in,
                          std::initializer_list<NamedSequence<S>> others, const NamedStates<S>& of) {
  const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time(), batch = in.u.batch();
  check_sequence(where, "u", in.u, channels);
  check_sequence(where, "raw", in.raw, channels, time, batch);
  check_sequence(where, "gate", in.gate, channels, time, batch);
  check_sequence(where, "bc", in.bc, 2 * states, time, batch);
  check_matrix(where, "skip", in.skip, channels, 1);
  for (const auto& [name, view] : others) check_sequence(where, name, view, channels, time, batch);
  check_matrix(where, of.name, of.states, channels * states, batch);
}

template <class S>
CacheBase::Sizes selective_scan_sizes(const SelectiveScanInputs<S>& in) {
  return {in.a.rows(), in.a.rows(), in.a.cols()};
}

/// A group of channels at up to 64 steps.
template <class S>
SelectiveBlock<S> block_of(const SelectiveScanInputs<S>& in, const ChannelTiling::Group& group, Index first) {
  const Index steps = std::min<Index>(SelectiveBlock<S>::kMostSteps, in.u.time() - first);
  const Columns<const S> bc = in.bc.columns(first, steps, group.sequence);
  std::uint64_t start_bits = 0;
  if (in.u.starts().flags != nullptr)
    for (Index t = 0; t < steps; ++t) start_bits |= std::uint64_t{in.u.starts(first + t, group.sequence)} << t;
  return {.u = group.of(in.u, first, steps),
          .raw = group.of(in.raw, first, steps),
          .gate = group.of(in.gate, first, steps),
          .bc = bc,
          .a = group.of(Columns<const S>(in.a)),
          .skip = Row<const S>(in.skip).from(group.first),
          .start_bits = start_bits,
          .largest = largest_magnitude(bc[0], bc.rows * bc.count)};
}

/// As many multiply-adds as a frame of forward takes the time of: an exponential for each state.
template <class S>
double work_of(const SelectiveScanInputs<S>& in) {
  return 24 * static_cast<double>(in.a.size());
}

/// The scan; notes the states before each block where there are borders to note them in.
template <class S>
void run_selective_scan(const SelectiveScanInputs<S>& in, Matrix<S>& state, SequenceView<S> y, SequenceView<S> borders,
                        SelectiveScanCache<S>& cache, const Context& context) {
  using Block = SelectiveBlock<S>;
  const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time();
  const SequenceView<S> scratch = cache.scratch.resize(Block::kScratch, 1, context.workers());
  const ChannelTiling tiling(channels, time, in.u.batch(), {work_of(in)});
  parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index worker) {
    tiling.for_groups(tile, [&](const ChannelTiling::Group& g) {
      const Columns<S> h = g.of(Columns<S>(state.col(g.sequence).data(), channels, states));
      for (Index first = 0; first < time; first += Block::kMostSteps) {
        const Block block = block_of(in, g, first);
        const Columns<S> y_block = g.of(y, first, block.steps());
        if (borders.size() > 0) {
          S* const border = borders.column(first / Block::kMostSteps, g.sequence);
          const Columns<S> before = g.of(Columns<S>(border, channels, states));
          for (Index n = 0; n < states; ++n) std::copy_n(h[n].data, g.count, before[n].data);
        }
        for_lanes<S, kInterleaved>(g.count, [&](auto i) {
          SelectiveLanes<S, decltype(i)>(i, block, scratch.column(0, worker)).forward(h, y_block);
        });
      }
    });
  });
}

/// Block after block from the last; adds to da and dskip.
template <class S>
void run_selective_scan_backward(const SelectiveScanInputs<S>& in, SequenceView<const S> dy, Matrix<S>& dstate,
                                 const SelectiveScanGradients<S>& out, SelectiveScanCache<S>& cache,
                                 const Context& context) {
  using Block = SelectiveBlock<S>;
  const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time(), workers = context.workers();
  const ChannelTiling tiling(channels, time, in.u.batch(), {2 * work_of(in), channels * (states + 1)});
  const SequenceView<S> borders = cache.borders.view(), scratch = cache.scratch.resize(Block::kScratch, 1, workers);
  const SequenceView<S> block_dbc = cache.block_dbc.resize(2 * states, Block::kMostSteps, workers);
  const bool divided = tiling.divided();
  const GradientSums<S, 2> sums(cache.sums, tiling.sums(), context, {&out.da, &out.dskip}, divided);
  const SequenceView<S> dbc = divided ? cache.of_groups.resize(2 * states, time, tiling.count()) : out.dbc;
  parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index worker) {
    const auto tile_sums = divided ? sums.of(tile / tiling.groups()) : sums.start(tile);
    tiling.for_groups(tile, [&](const ChannelTiling::Group& g) {
      const Columns<S> da = g.of(tile_sums[0]), dskip = g.of(tile_sums[1]);
      if (divided) zeroed(da), zeroed(dskip);
      for (Index number = borders.time(); number-- > 0;) {
        const Index first = number * Block::kMostSteps;
        const Block block = block_of(in, g, first);
        const SelectiveBlockAdjoint<S> adjoint{
            .before = g.of(Columns<const S>(borders.column(number, g.sequence), channels, states)),
            .dh = g.of(Columns<S>(dstate.col(g.sequence).data(), channels, states)),
            .dy = g.of(dy, first, block.steps()),
            .du = g.of(out.du, first, block.steps()),
            .draw = g.of(out.draw, first, block.steps()),
            .dgate = g.of(out.dgate, first, block.steps()),
            .dbc = zeroed(block_dbc.columns(0, block.steps(), worker)),
            .da = da,
            .dskip = dskip[0]};
        for_lanes<S, kInterleaved>(g.count, [&](auto i) {
          SelectiveLanes<S, decltype(i)>(i, block, scratch.column(0, worker)).backward(adjoint);
        });
        gather_dbc<S>(adjoint.dbc, !divided && g.number > 0,
                      dbc.columns(first, block.steps(), divided ? tile : g.sequence));
      }
    });
  });
  if (divided) sum_groups<S>(context, dbc, tiling.groups(), out.dbc);
  sums.add();
}

}  // namespace detail

/// The selective state space of Mamba (S6), discretised as its official code does: zero-order hold for A, Euler for B.
///
/// Equations   delta = softplus(raw);  h_t[d,n] = exp(delta_t[d] A[d,n]) h_{t-1}[d,n] + delta_t[d] B_t[n] u_t[d], where
///             h_{t-1} counts as 0 at a start;  s_t[d] = sum_n C_t[n] h_t[d,n] + skip[d] u_t[d];  y = s silu(gate)
/// Shapes      D channels, N states; u, raw, gate, y (D, T, B); bc (2 N, T, B) B_t, then C_t; a (D, N); skip (D);
///             state (D N, B), channels fastest: enters as h_0, leaves as h_T
/// Memory      kept in the cache for the adjoint: the states at the borders of blocks of 64 steps, D N / 64 scalars per
///             step. delta, s and the (D, N) expansion of a block are computed again there and stay in L1: 2 packets of
///             channels, one n at a time
/// Threads     each has sequences, or groups of 64 channels where sequences are few
/// Throws      std::invalid_argument where shapes differ
/// Source      Gu and Dao 2023, "Mamba: Linear-time sequence modeling with selective state spaces"
template <class S>
void selective_scan(const SelectiveScanInputs<S>& in, Matrix<S>& state, SequenceView<std::type_identity_t<S>> y,
                    SelectiveScanCache<S>& cache, const Context& context = {}) {
  detail::check_selective_scan<S>("selective_scan", in, {{"y", y}}, {"state", state});
  cache.forget();
  constexpr Index kSteps = detail::SelectiveBlock<S>::kMostSteps;
  const Index time = in.u.time(), batch = in.u.batch(), blocks = (time + kSteps - 1) / kSteps;
  const SequenceView<S> borders = cache.borders.resize(in.a.size(), blocks, batch);
  detail::run_selective_scan<S>(in, state, y, borders, cache, context);
  cache.keep(detail::selective_scan_sizes(in), time, batch);
}

/// The adjoint of `selective_scan`, from its inputs and the cache that it kept what it needs in.
///
/// Gradient    ds = silu(gate) dy;  dgate = s silu'(gate) dy;  with e_t = exp(delta_t A), x_t = delta_t u_t:
///             g_t = C_t ds_t + e_{t+1} g_{t+1};  dB_t = sum_d g_t x_t;  dC_t = sum_d h_t ds_t;  dx_t = sum_n g_t B_t;
///             dA = sum_t delta_t e_t g_t h_{t-1};  draw_t = sigmoid(raw_t) (u_t dx_t + sum_n A e_t g_t h_{t-1});
///             du_t = delta_t dx_t + skip ds_t;  dskip = sum_t u_t ds_t
/// Shapes      dy, du, draw, dgate (D, T, B); dbc (2 N, T, B); da (D, N); dskip (D); dstate (D N, B): enters as dL/dh_T
///             from what follows, leaves as dL/dh_0
/// Memory      all gradients are written, none is added to
/// Throws      std::invalid_argument where shapes differ, or `selective_scan` was not the last to use the cache
template <class S>
void selective_scan_backward(const SelectiveScanInputs<S>& in, SequenceView<const std::type_identity_t<S>> dy,
                             Matrix<S>& dstate, const SelectiveScanGradients<std::type_identity_t<S>>& out,
                             SelectiveScanCache<S>& cache, const Context& context = {}) {
  const char* where = "selective_scan_backward";
  const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time(), batch = in.u.batch();
  cache.check_backward(where, detail::selective_scan_sizes(in), dy);
  detail::check_selective_scan<S>(where, in, {{"dy", dy}, {"du", out.du}, {"draw", out.draw}, {"dgate", out.dgate}},
                                  {"dstate", dstate});
  detail::check_sequence(where, "dbc", out.dbc, 2 * states, time, batch);
  out.da.setZero(channels, states);
  out.dskip.setZero(channels, 1);
  detail::run_selective_scan_backward<S>(in, dy, dstate, out, cache, context);
}

/// `selective_scan` for no adjoint: the cache is scratch alone.
template <class S>
void selective_scan_infer(const SelectiveScanInputs<S>& in, Matrix<S>& state, SequenceView<std::type_identity_t<S>> y,
                          SelectiveScanCache<S>& cache, const Context& context = {}) {
  detail::check_selective_scan<S>("selective_scan_infer", in, {{"y", y}}, {"state", state});
  cache.forget();
  detail::run_selective_scan<S>(in, state, y, {}, cache, context);
}

}  // namespace minrnn
