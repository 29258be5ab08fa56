// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
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
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/math/scaled.hpp"
#include "minrnn/scan/operators.hpp"
#include "minrnn/scan/stretches.hpp"

/// The recurrence of minGRU and minLSTM, from x to h and back. Time is cut into blocks that stay in cache; x (F, T, B),
/// k and what the gates keep of it (G H, T, B), gate after gate, h (H, T, B).
namespace minrnn::detail {

/// How many steps a block has, with so many scalars of k, x and h each: about 256 KiB in float; fewer columns than 96
/// would make the product slower.
inline Index steps_in_cache(Index scalars) { return std::clamp<Index>(65536 / scalars, 96, 512); }

/// k_t = W x_t + b for each gate;  (a_t, b_t) = Gates(k_t);  h_t = a_t h_{t-1} + b_t, where h_{t-1} at a start is h_0.
///
/// Gates and recurrence are computed on the product while it is in L1 (`PackedGates`). Where a sequence is divided, the
/// first pass leaves k in `kept` for the second one.
template <class S, class Gates, bool keep>
struct GatedScanForward {
  static constexpr Index kAhead = 8;  // steps by which memory is asked for before it is written
  static constexpr Index kGates = Gates::kCount;
  template <class P>
  using Operator = std::conditional_t<Gates::arithmetic == Arithmetic::log_space, ScaledAffine<P>, Affine<P>>;

  SequenceView<const S> x;
  SequenceView<S> h, kept;
  Row<const S> h_0;
  const PackedGates<S, kGates>& weights;
  SequenceView<S> scratch;  // of each worker
  Index block;              // steps
  bool divided;

  /// carry: what `Operator` carries of the state, before the first step and after the last.
  void operator()(const Context& context, const Tiling& tiling, Matrix<S>& carry) const {
    run_stretches<Operator>(
        context, tiling, Direction::forward, x.starts(), carry, [&](Stretch s, S* a, S* b) { summarise(s, a, b); },
        [&](Stretch s, S* row) { run(s, row); });
  }

 private:
  void summarise(Stretch s, S* a, S* b) const {
    for_blocks(s, [&](auto i, Index first, Index steps) {
      using P = typename decltype(i)::P;
      using Op = Operator<P>;
      Op whole = load_operator<Op>(i, a, b, h.features());
      from_product(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        store_gates(i, k, kept.row(t, s.sequence), h.features());
        const Op step = operator_of<P>(Gates::forward(k));
        if (x.starts(t, s.sequence))
          whole = {Op::carried(P(S(0))), step(Op::carried(h_0[i]))};
        else
          whole = whole.then(step);
      });
      store_operator(i, whole, a, b, h.features());
    });
  }

  void run(Stretch s, S* row) const {
    for_blocks(s, [&](auto i, Index first, Index steps) {
      using P = typename decltype(i)::P;
      using Op = Operator<P>;
      auto carried = load_carried<typename Op::Carried>(i, row, h.features());
      for_steps(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        if (x.starts(t, s.sequence)) carried = Op::carried(h_0[i]);
        const auto step = Gates::forward(k);
        carried = operator_of<P>(step)(carried);  // h_t = a_t h_{t-1} + b_t
        h.row(t, s.sequence)[i] = Op::value(carried);
        if constexpr (keep) store_gates(i, step.kept, kept.row(t, s.sequence), h.features());
      });
      store_carried(i, row, h.features(), carried);
    });
  }

  template <class P, class Step>
  MINRNN_INLINE static Operator<P> operator_of(const Step& step) {
    return {step.decay, step.input};
  }

  /// Calls body(lanes, first, steps) for each block of the stretch and each packet of features.
  template <class Body>
  void for_blocks(Stretch s, Body&& body) const {
    for (Index first = s.first; first < s.last; first += block) {
      const Index steps = std::min<Index>(block, s.last - first);
      for_lanes<S, kInterleaved>(h.features(), [&](auto i) { body(i, first, steps); });
    }
  }

  /// Calls body(t, k_t) for each step of a block, k from the first pass or, where there was none, from the product.
  template <class Lanes, class Body>
  MINRNN_INLINE void for_steps(Lanes i, Stretch s, Index first, Index steps, Body&& body) const {
    using P = typename Lanes::P;
    if (divided)
      for (Index t = first; t < first + steps; ++t)
        body(t, load_gates<P, kGates>(i, kept.row(t, s.sequence), h.features()));
    else
      from_product(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        const Index ahead = std::min<Index>(t + kAhead, s.last - 1);
        prefetch_to_write(h.column(ahead, s.sequence) + i.offset);
        if constexpr (keep)
          for (Index gate = 0; gate < kGates; ++gate)
            prefetch_to_write(kept.column(ahead, s.sequence) + gate * h.features() + i.offset);
        body(t, k);
      });
  }
  template <class Lanes, class Body>
  MINRNN_INLINE void from_product(Lanes i, Stretch s, Index first, Index steps, Body&& body) const {
    weights.for_columns(i, x.columns(first, steps, s.sequence), scratch.column(0, s.worker),
                        [&](Index j, const auto& k) MINRNN_INLINE_LAMBDA { body(first + j, k); });
  }
};

/// delta_t = dh_t + a_{t+1} delta_{t+1};  dk_t from delta_t, h_{t-1} and k_t by Gates;  dW = sum dk_t x_t^T;
/// db = sum dk_t;  dx_t = W^T dk_t;  dh_0 = sum of a_t delta_t over the starts.
///
/// Of each block dk is computed first; dW and dx are made of it while memory is asked for what the next block reads.
/// Where dW is large, dk of all steps is kept instead, for `add_products_in_panels` to make dW of it.
template <class S, class Gates>
struct GatedScanBackward {
  static constexpr Index kGates = Gates::kCount;
  using Sums = GradientSums<S, std::size_t{2 * kGates + 1}>;  // dW of each gate, db of each gate, dh_0
  using SumsOfTile = decltype(std::declval<const Sums&>().of(0));

  SequenceView<const S> x, dy, h, kept;
  Columns<const S> first_h;  // the state before the first step
  Row<const S> h_0;
  const PackedWeight<S>& transposed;  // W^T (F, G H)
  SequenceView<S> dx, dk, scratch;    // dk of all steps or of a block of each worker; of each worker, for the product
  const Sums& sums;
  Index block;  // steps

  static bool keeps_dk(Index inputs, Index features) { return GradientPanels::pays(kGates * features * inputs, false); }
  /// Of a step. A tile has sums of dW unless dk is kept.
  static FrameCost cost(Index inputs, Index features) {
    const Index rows = kGates * features;
    const double work = gated_work(rows, inputs);
    return keeps_dk(inputs, features) ? FrameCost{work, rows + features}
                                      : FrameCost{2 * work, rows * (inputs + 1) + features};
  }

  /// dstate: what reaches the state after the last step, and before the first.
  void operator()(const Context& context, const Tiling& tiling, Matrix<S>& dstate) const {
    run_stretches<Affine>(
        context, tiling, Direction::backward, x.starts(), dstate, [&](Stretch s, S* a, S* b) { summarise(s, a, b); },
        [&](Stretch s, S* row) { run(s, Row<S>(row)); });
  }

 private:
  void summarise(Stretch s, S* a, S* b) const {
    for (Index t = s.last - 1; t >= s.first; --t) {
      const bool start = x.starts(t, s.sequence);
      for_lanes<S, kInterleaved>(h.features(), [&](auto i) {
        using P = typename decltype(i)::P;
        const P decay = Gates::decay(load_gates<P, kGates>(i, kept.row(t, s.sequence), h.features())), zero(S(0));
        const Affine<P> next{decay, decay * dy.row(t, s.sequence)[i]};
        compose(i, start ? Affine<P>{zero, zero} : next, start, a, b, h.features());
      });
    }
  }

  /// carried: what reaches h_t from the steps after t.
  void run(Stretch s, Row<S> carried) const {
    const bool keeps = keeps_dk(x.features(), h.features());
    const SumsOfTile sums_of_tile = s.begins_tile ? sums.start(s.tile) : sums.of(s.tile);
    for (Index last = s.last; last > s.first;) {
      const Index first = std::max<Index>(s.first, last - block);
      const Columns<S> dk_block =
          keeps ? dk.columns(first, last - first, s.sequence) : dk.columns(0, last - first, s.worker);
      through_time(s, first, dk_block, carried, sums_of_tile);
      Prefetcher<S> ahead = of_next_block(s, first);
      if (!keeps) to_parameters(s, first, dk_block, sums_of_tile, ahead);
      transposed.multiply(dk_block, {}, dx.columns(first, last - first, s.sequence), &ahead);  // dx = W^T dk
      last = first;
    }
  }

  void through_time(Stretch s, Index first, Columns<S> dk_block, Row<S> row, const SumsOfTile& of_tile) const {
    const Row<S> db = of_tile[kGates][0], dh_0 = of_tile[2 * kGates][0];  // the biases follow each other
    for_lanes<S, kInterleaved>(h.features(), [&](auto i) {
      using P = typename decltype(i)::P;
      P carried = row[i];
      auto db_sum = load_gates<P, kGates>(i, db, h.features());
      for (Index t = first + dk_block.count - 1; t >= first; --t) {
        const bool start = x.starts(t, s.sequence);
        const Row<const S> h_before = start ? h_0 : t > 0 ? h.row(t - 1, s.sequence) : first_h[s.sequence];
        const P delta = dy.row(t, s.sequence)[i] + carried;
        const auto d =
            Gates::backward(load_gates<P, kGates>(i, kept.row(t, s.sequence), h.features()), h_before[i], delta);
        store_gates(i, d.dk, dk_block[t - first], h.features());
        unroll<kGates>([&](auto gate) { db_sum[gate] = db_sum[gate] + d.dk[gate]; });
        if (start) dh_0[i] += d.dh_before;
        carried = start ? P(S(0)) : d.dh_before;
      }
      store_gates(i, db_sum, db, h.features());
      row[i] = carried;
    });
  }

  void to_parameters(Stretch s, Index first, Columns<S> dk_block, const SumsOfTile& of_tile,
                     Prefetcher<S>& ahead) const {
    for (Index gate = 0; gate < kGates; ++gate)
      add_outer_product(dk_block.features(gate * h.features(), h.features()),
                        x.columns(first, dk_block.count, s.sequence), of_tile[static_cast<std::size_t>(gate)],
                        scratch.column(0, s.worker), &ahead);  // dW += dk x^T
  }

  /// What is read after the block that begins at `first`: the block before it, or the next sequence.
  Prefetcher<S> of_next_block(Stretch s, Index first) const {
    Prefetcher<S> ahead;
    const bool same = first > s.first;
    const Index sequence = same ? s.sequence : s.sequence + 1, last = same ? first : s.last;
    if (sequence < h.batch())
      for (const auto& view : {x, dy, h, kept})
        ahead.add(view.column(std::max<Index>(s.first, last - block), sequence),
                  view.column(last - 1, sequence) + view.features());
    return ahead;
  }
};

}  // namespace minrnn::detail
