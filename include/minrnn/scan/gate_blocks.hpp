// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/gate_products.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/gradient_panels.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/prefetch.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/tiles.hpp"
#include "minrnn/scan/stretches.hpp"

/// The way from x to the pre-activations k of gates, and from dk back to dW and dx, which all recurrences share whose
/// products are hoisted over time. Time is cut into blocks that stay in cache; x (F, T, B), k (G H, T, B), gate after
/// gate.
namespace minrnn::detail {

/// How many steps a block has, with so many scalars of k, x and h each: about 256 KiB in float; fewer columns than 96
/// would make the product slower.
inline Index steps_in_cache(Index scalars) { return std::clamp<Index>(65536 / scalars, 96, 512); }

/// k_t = W x_t + b for each of G gates over a stretch. What follows is computed on the product while it is in L1.
template <class S, Index gates>
struct GateBlocks {
  static constexpr Index kAhead = 8;  // steps by which memory is asked for before it is written

  SequenceView<const S> x;
  const PackedGates<S, gates>& weights;
  SequenceView<S> scratch;        // of each worker
  Index features, block;          // H; steps
  SequenceView<const S> ready{};  // k (G H, T, B) where it has been computed before; else nothing

  /// Calls body(lanes, first, steps) for each block of the stretch and each packet of features, `wide` registers at a
  /// time where there are so many.
  template <int wide = kInterleaved, class Body>
  void for_blocks(Stretch s, Body&& body) const {
    for (Index first = s.first; first < s.last; first += block) {
      const Index steps = std::min<Index>(block, s.last - first);
      for_lanes<S, kInterleaved, wide>(features, [&](auto i) { body(i, first, steps); });
    }
  }
  /// Calls body(t, k_t) for each step of a block.
  template <class Lanes, class Body>
  MINRNN_INLINE void for_steps(Lanes i, Stretch s, Index first, Index steps, Body&& body) const {
    weights.for_columns(
        i, x.columns(first, steps, s.sequence), scratch.column(0, s.worker),
        [&](Index j, const auto& k) MINRNN_INLINE_LAMBDA { body(first + j, k); },
        ready.size() == 0 ? Columns<const S>() : ready.columns(first, steps, s.sequence));
  }
  /// Asks for the `planes` packets of (planes H, T, B) that are written some steps after t.
  template <Index planes, class Lanes>
  MINRNN_INLINE void ask_for(SequenceView<S> rows, Lanes i, Stretch s, Index t) const {
    S* const ahead = rows.column(std::min<Index>(t + kAhead, s.last - 1), s.sequence) + i.offset;
    for (Index plane = 0; plane < planes; ++plane) prefetch_to_write(ahead + plane * features, Lanes::P::size);
  }
};

/// dW = sum dk_t x_t^T and dx_t = W^T dk_t for G gates from dk of a stretch, block by block from its last step. Sums of
/// db, of the gradients of D diagonal weights and of h_0 are for whoever computes dk.
///
/// Of each block dk is computed first; dW and dx are made of it while memory is asked for what the next block reads.
/// Where dW is large, dk of all steps is kept instead, for `add_products_in_panels` to make dW of it.
template <class S, Index gates, Index diagonals>
struct GateGradients {
  using Sums = GradientSums<S, std::size_t{2 * gates + diagonals + 1}>;  // dW and db of each gate, diagonals, h_0
  using SumsOfTile = std::array<Columns<S>, std::size_t{2 * gates + diagonals + 1}>;

  SequenceView<const S> x;
  const PackedWeight<S>& transposed;  // W^T (F, G H)
  SequenceView<S> dx, dk, scratch;    // dk of all steps or of a block of each worker; of each worker, for the product
  const Sums& sums;
  Index features, block;  // H; steps

  static bool keeps_dk(Index inputs, Index features) { return GradientPanels::pays(gates * features * inputs, false); }
  /// Of a step. A tile has sums of dW unless dk is kept.
  static FrameCost cost(Index inputs, Index features) {
    const Index rows = gates * features, vectors = rows + (diagonals + 1) * features;
    const double work = gated_work(rows, inputs);
    return keeps_dk(inputs, features) ? FrameCost{work, vectors} : FrameCost{2 * work, rows * inputs + vectors};
  }

  /// The sums of the gradients of the biases, of the diagonal weights behind these, and of h_0.
  static Row<S> biases(const SumsOfTile& of_tile) { return of_tile[std::size_t{gates}][0]; }
  static Row<S> h_0(const SumsOfTile& of_tile) { return of_tile[std::size_t{2 * gates + diagonals}][0]; }

  /// Calls through_time(first, dk, sums of the tile) for each block, which fills dk (G H, steps) from the step `first`
  /// on and adds to the sums but for those of dW. `read`: what it reads, to be asked for ahead.
  template <class ThroughTime>
  void run(Stretch s, const std::array<SequenceView<const S>, 3>& read, ThroughTime&& through_time) const {
    const bool keeps = keeps_dk(x.features(), features);
    const SumsOfTile of_tile = s.begins_tile ? sums.start(s.tile) : sums.of(s.tile);
    for (Index last = s.last; last > s.first;) {
      const Index first = std::max<Index>(s.first, last - block);
      const Columns<S> dk_block =
          keeps ? dk.columns(first, last - first, s.sequence) : dk.columns(0, last - first, s.worker);
      through_time(first, dk_block, of_tile);
      Prefetcher<S> ahead = of_next_block(s, first, read);
      if (!keeps) to_parameters(s, first, dk_block, of_tile, ahead);
      transposed.multiply(dk_block, {}, dx.columns(first, last - first, s.sequence), &ahead);  // dx = W^T dk
      last = first;
    }
  }

 private:
  void to_parameters(Stretch s, Index first, Columns<S> dk_block, const SumsOfTile& of_tile,
                     Prefetcher<S>& ahead) const {
    for (Index gate = 0; gate < gates; ++gate)
      add_outer_product(dk_block.features(gate * features, features), x.columns(first, dk_block.count, s.sequence),
                        of_tile[static_cast<std::size_t>(gate)], scratch.column(0, s.worker), &ahead);  // dW += dk x^T
  }

  /// What is read after the block that begins at `first`: the block before it, or the next sequence.
  Prefetcher<S> of_next_block(Stretch s, Index first, const std::array<SequenceView<const S>, 3>& read) const {
    Prefetcher<S> ahead;
    const bool same = first > s.first;
    const Index sequence = same ? s.sequence : s.sequence + 1, last = same ? first : s.last;
    if (sequence >= x.batch()) return ahead;
    const auto add = [&](SequenceView<const S> view) {
      ahead.add(view.column(std::max<Index>(s.first, last - block), sequence),
                view.column(last - 1, sequence) + view.features());
    };
    add(x);
    for (const auto& view : read) add(view);
    return ahead;
  }
};

}  // namespace minrnn::detail
