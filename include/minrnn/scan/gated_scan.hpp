// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/math/scaled.hpp"
#include "minrnn/scan/gate_blocks.hpp"
#include "minrnn/scan/operators.hpp"
#include "minrnn/scan/stretches.hpp"

/// The recurrence of gates that see only the input, from x to h and back. x (F, T, B), k and what the gates keep of it
/// (G H, T, B), gate after gate, h (H, T, B).
namespace minrnn::detail {

/// k_t = W x_t + b for each gate;  (a_t, b_t) = Gates(k_t);  h_t = a_t h_{t-1} + b_t, where h_{t-1} at a start is h_0.
///
/// Where a sequence is divided, the first pass leaves k in `kept` for the second one.
template <class S, class Gates, bool keep>
struct GatedScanForward {
  static constexpr Index kGates = Gates::kCount, kDiagonals = Gates::kDiagonals;
  template <class P>
  using Operator = std::conditional_t<Gates::arithmetic == Arithmetic::log_space, ScaledAffine<P>, Affine<P>>;

  GateBlocks<S, kGates> gates;
  SequenceView<S> h, kept;
  Row<const S> h_0;
  Array<Row<const S>, kDiagonals> diagonal;
  bool divided;

  /// carry: what `Operator` carries of the state, before the first step and after the last.
  void operator()(const Context& context, const Tiling& tiling, Matrix<S>& carry) const {
    run_stretches<Operator>(
        context, tiling, Direction::forward, gates.x.starts(), carry,
        [&](Stretch s, S* a, S* b) { summarise(s, a, b); }, [&](Stretch s, S* row) { run(s, row); });
  }

 private:
  void summarise(Stretch s, S* a, S* b) const {
    gates.for_blocks(s, [&](auto i, Index first, Index steps) {
      using P = typename decltype(i)::P;
      using Op = Operator<P>;
      const auto prepared = Gates::prepare(load_each<P, kDiagonals, S>(i, diagonal));
      Op whole = load_operator<Op>(i, a, b, h.features());
      gates.for_steps(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        store_gates(i, k, kept.row(t, s.sequence), h.features());
        const Op step = operator_of<P>(Gates::forward(k, prepared));
        if (gates.x.starts(t, s.sequence))
          whole = {Op::carried(P(S(0))), step(Op::carried(h_0[i]))};
        else
          whole = whole.then(step);
      });
      store_operator(i, whole, a, b, h.features());
    });
  }

  void run(Stretch s, S* row) const {
    gates.for_blocks(s, [&](auto i, Index first, Index steps) {
      using P = typename decltype(i)::P;
      using Op = Operator<P>;
      const auto prepared = Gates::prepare(load_each<P, kDiagonals, S>(i, diagonal));
      auto carried = load_carried<typename Op::Carried>(i, row, h.features());
      for_steps(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        if (gates.x.starts(t, s.sequence)) carried = Op::carried(h_0[i]);
        const auto step = Gates::forward(k, prepared);
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

  /// Calls body(t, k_t) for each step of a block, k from the first pass or, where there was none, from the product.
  template <class Lanes, class Body>
  MINRNN_INLINE void for_steps(Lanes i, Stretch s, Index first, Index steps, Body&& body) const {
    using P = typename Lanes::P;
    if (divided)
      for (Index t = first; t < first + steps; ++t)
        body(t, load_gates<P, kGates>(i, kept.row(t, s.sequence), h.features()));
    else
      gates.for_steps(i, s, first, steps, [&](Index t, const Array<P, kGates>& k) MINRNN_INLINE_LAMBDA {
        gates.template ask_for<1>(h, i, s, t);
        if constexpr (keep) gates.template ask_for<kGates>(kept, i, s, t);
        body(t, k);
      });
  }
};

/// delta_t = dh_t + a_{t+1} delta_{t+1};  dk_t from delta_t, h_{t-1} and k_t by Gates;  dW = sum dk_t x_t^T;
/// db = sum dk_t;  dx_t = W^T dk_t;  dh_0 = sum of a_t delta_t over the starts.
template <class S, class Gates>
struct GatedScanBackward {
  static constexpr Index kGates = Gates::kCount, kDiagonals = Gates::kDiagonals;
  using Gradients = GateGradients<S, kGates, kDiagonals>;
  using SumsOfTile = typename Gradients::SumsOfTile;

  const Gradients& gradients;
  SequenceView<const S> dy, h, kept;
  Columns<const S> first_h;  // the state before the first step
  Row<const S> h_0;
  Array<Row<const S>, kDiagonals> diagonal;

  /// dstate: what reaches the state after the last step, and before the first.
  void operator()(const Context& context, const Tiling& tiling, Matrix<S>& dstate) const {
    run_stretches<Affine>(
        context, tiling, Direction::backward, gradients.x.starts(), dstate,
        [&](Stretch s, S* a, S* b) { summarise(s, a, b); },
        [&](Stretch s, S* row) {
          gradients.run(s, {dy, h, kept}, [&](Index first, Columns<S> dk, const SumsOfTile& of_tile) {
            through_time(s, first, dk, Row<S>(row), of_tile);
          });
        });
  }

 private:
  void summarise(Stretch s, S* a, S* b) const {
    for (Index t = s.last - 1; t >= s.first; --t) {
      const bool start = gradients.x.starts(t, s.sequence);
      for_lanes<S, kInterleaved>(h.features(), [&](auto i) {
        using P = typename decltype(i)::P;
        const P decay = Gates::decay(load_gates<P, kGates>(i, kept.row(t, s.sequence), h.features()),
                                     Gates::prepare(load_each<P, kDiagonals, S>(i, diagonal))),
                zero(S(0));
        const Affine<P> next{decay, decay * dy.row(t, s.sequence)[i]};
        compose(i, start ? Affine<P>{zero, zero} : next, start, a, b, h.features());
      });
    }
  }

  /// row: what reaches h_t from the steps after t.
  void through_time(Stretch s, Index first, Columns<S> dk_block, Row<S> row, const SumsOfTile& of_tile) const {
    const Row<S> of_vectors = Gradients::biases(of_tile), dh_0 = Gradients::h_0(of_tile);
    for_lanes<S, kInterleaved>(h.features(), [&](auto i) {
      using P = typename decltype(i)::P;
      const auto prepared = Gates::prepare(load_each<P, kDiagonals, S>(i, diagonal));
      P carried = row[i];
      auto sums = load_gates<P, kGates + kDiagonals>(i, of_vectors, h.features());
      for (Index t = first + dk_block.count - 1; t >= first; --t) {
        const bool start = gradients.x.starts(t, s.sequence);
        const Row<const S> h_before = start ? h_0 : t > 0 ? h.row(t - 1, s.sequence) : first_h[s.sequence];
        const P delta = dy.row(t, s.sequence)[i] + carried;
        const auto d = Gates::backward(load_gates<P, kGates>(i, kept.row(t, s.sequence), h.features()), h_before[i],
                                       delta, prepared);
        store_gates(i, d.dk, dk_block[t - first], h.features());
        unroll<kGates>([&](auto gate) { sums[gate] = sums[gate] + d.dk[gate]; });
        unroll<kDiagonals>([&](auto n) { sums[kGates + n] = sums[kGates + n] + d.ddiagonal[n]; });
        if (start) dh_0[i] += d.dh_before;
        carried = start ? P(S(0)) : d.dh_before;
      }
      store_gates(i, sums, of_vectors, h.features());
      row[i] = carried;
    });
  }
};

}  // namespace minrnn::detail
