// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/groups.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/layers/recurrent_base.hpp"

namespace minrnn::detail {

/// What GRU and LSTM have in common: gates that see the state before, so that time must be walked step by step.
///
/// Equations   p_t = W_ih x_t + b_ih for many t at once;  q_t = W_hh h_{t-1} + b_hh;
///             (h_t, c_t) = Gates(p_t, q_t, h_{t-1}, c_{t-1})
/// Gradient    dp_t, dq_t and the direct part of dh_{t-1}, dc_{t-1} by Gates;  dh_{t-1} += W_hh^T dq_t;
///             dW_ih = sum dp_t x_t^T;  dW_hh = sum dq_t h_{t-1}^T;  dx_t = W_ih^T dp_t
/// Shapes      G gates; x (F, T, B); p, q (G H, T, B), gate after gate; h, c (H, T, B)
/// Memory      kept for backward: 4 H of Gates, h, and c where there is one: 5 H (GRU) or 6 H (LSTM) scalars per step;
///             and dx, F
template <class S, StepGates Gates>
class Recurrent : public RecurrentBase<S, Gates> {
  using Base = RecurrentBase<S, Gates>;
  using Block = Groups::Block;
  static constexpr Index kGates = Gates::kCount, kKept = Gates::kKept;
  static constexpr bool kHasCell = Gates::kHasCell;

 public:
  using Base::input_size, Base::output_size;
  using typename Base::Cache, typename Base::State;

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    this->check_forward(x, state);
    cache.forget();
    cache.x_ = x;
    cache.first_h_ = state.h;
    cache.first_c_ = state.c;
    const auto h = run<true>(x, state, cache, context);
    cache.keep(this->sizes(), x.time(), x.batch());
    return h;
  }
  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    this->check_forward(x, state);
    cache.forget();
    return run<false>(x, state, cache, context);
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

 private:
  template <bool keep>
  SequenceView<const S> run(SequenceView<const S> x, State& state, Cache& cache, const Context& context) const {
    const Index features = output_size(), workers = context.workers();
    const Groups groups(x.time(), x.batch());
    const SequenceView<S> h = cache.h_.resize(features, x.time(), x.batch(), x);
    if constexpr (keep) cache.kept_.resize(kKept * features, x.time(), x.batch());
    if constexpr (keep && kHasCell) cache.c_.resize(features, x.time(), x.batch());
    const SequenceView<S> frames = cache.frames_.resize(input_size(), groups.most_columns(), workers);
    const SequenceView<S> p = cache.p_.resize(kGates * features, groups.most_columns(), workers);
    const SequenceView<S> q = cache.q_.resize(kGates * features, Groups::kMostSequences, workers);
    // A single step uses the weights as they are, and so does the recurrence of a single sequence.
    const Index columns = x.time() > 1 ? x.time() * x.batch() : 1;
    cache.input_.prepare(this->weight_ih_, columns);
    cache.recurrent_.prepare(this->weight_hh_, x.batch() > 1 ? columns : 1);

    parallel_for(context, groups.count(), this->work(x), [&](Index group, Index worker) {
      for (auto block = groups.start(group); block.next();) {
        const Columns<S> p_block = p.columns(0, block.columns(), worker);
        cache.input_.multiply(block.gather(x, frames.columns(0, block.columns(), worker)), this->bias_ih_.value,
                              p_block);
        through_time<keep>(block, x.starts(), p_block, q.columns(0, block.count, worker), state, cache);
      }
    });
    return SequenceView<const S>(h).with_starts(x.starts());
  }

  /// q_t = W_hh h_{t-1} + b_hh and h_t of a block from p, step by step.
  template <bool keep>
  void through_time(const Block& block, Starts starts, Columns<const S> p, Columns<S> q, State& state,
                    Cache& cache) const {
    const Columns<S> h = Columns<S>(state.h).block(block.sequence, block.count);
    for (Index t = block.first; t < block.last; ++t) {
      for (Index i = 0; i < block.count; ++i)
        if (starts(t, block.sequence + i)) set_zero(state, block.sequence + i);
      cache.recurrent_.multiply(h, this->bias_hh_.value, q);
      for (Index i = 0; i < block.count; ++i)
        take_step<keep>(t, block.sequence + i, block.frame(p, t)[i], q[i], state, cache);
    }
  }

  /// (h_t, c_t) = Gates(p_t, q_t, h_{t-1}, c_{t-1}) of sequence b.
  template <bool keep>
  MINRNN_INLINE void take_step(Index t, Index b, Row<const S> p, Row<const S> q, State& state, Cache& cache) const {
    const Index features = output_size();
    const Row<S> h = Columns<S>(state.h)[b], c = Columns<S>(state.c)[b], before = kHasCell ? c : h;
    const Row<S> h_t = cache.h_.view().row(t, b);
    const Row<S> c_t = keep && kHasCell ? cache.c_.view().row(t, b) : Row<S>();
    const Row<S> kept = keep ? cache.kept_.view().row(t, b) : Row<S>();
    for_lanes<S, kInterleaved>(features, [&](auto i) {
      using P = typename decltype(i)::P;
      const auto step =
          Gates::forward(load_gates<P, kGates>(i, p, features), load_gates<P, kGates>(i, q, features), P(before[i]));
      h[i] = step.h;
      h_t[i] = step.h;
      if constexpr (kHasCell) c[i] = step.c;
      if constexpr (keep && kHasCell) c_t[i] = step.c;
      if constexpr (keep) store_gates(i, step.kept, kept, features);
    });
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    this->check_backward(dy, dstate, cache);
    const SequenceView<const S> x = cache.x_;
    const Groups groups(x.time(), x.batch());
    const Index features = output_size(), columns = groups.most_columns(), workers = context.workers();
    const SequenceView<S> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const SequenceView<S> dp = cache.p_.resize(kGates * features, columns, workers);
    const SequenceView<S> dq = Gates::kSeesSum ? dp : cache.q_.resize(kGates * features, columns, workers);
    const SequenceView<S> before = cache.before_.resize(features, columns, workers);
    const SequenceView<S> through = cache.through_.resize(features, Groups::kMostSequences, workers);
    const SequenceView<S> frames = cache.frames_.resize(input_size(), columns, workers);
    const SequenceView<S> packed = cache.packed_.resize(kOuterScratch<S>, 1, workers);
    cache.zero_.setZero(features, 1);
    cache.input_.prepare_transposed(this->weight_ih_.value);
    cache.recurrent_transposed_ = this->weight_hh_.value.transpose();
    cache.recurrent_.prepare(cache.recurrent_transposed_, x.batch() > 1 ? x.time() * x.batch() : 1);
    const GradientSums sums(cache.sums_, groups.count(), context, this->weight_ih_.grad, this->weight_hh_.grad,
                            this->bias_ih_.grad, this->bias_hh_.grad);

    parallel_for(context, groups.count(), 2 * this->work(x), [&](Index group, Index worker) {
      const auto sums_of_group = sums.start(group);
      for (auto block = groups.end(group); block.previous();) {
        const auto of_block = [&](SequenceView<S> scratch) { return scratch.columns(0, block.columns(), worker); };
        const Adjoint adjoint{of_block(dp), of_block(dq), of_block(before)};
        back_through_time(block, dy, adjoint, through.columns(0, block.count, worker), dstate, cache);
        to_parameters(block.gather(x, of_block(frames)), adjoint, sums_of_group, packed.column(0, worker));
        to_input(block, adjoint, of_block(frames), dx, cache);
      }
    });
    sums.add();
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

 private:
  /// What the way back through the time of a block leaves behind for the products.
  struct Adjoint {
    Columns<S> dp, dq, h_before;  // (G H, columns) twice, the same memory where the gates see p + q; (H, columns)
  };

  /// dp, dq and h_{t-1} of a block, step by step from the last one: dh_{t-1} is what the step leaves of it and
  /// W_hh^T dq. Nothing reaches the state before a start.
  void back_through_time(const Block& block, SequenceView<const S> dy, const Adjoint& adjoint, Columns<S> through,
                         State& dstate, Cache& cache) const {
    const Columns<S> dh = Columns<S>(dstate.h).block(block.sequence, block.count);
    for (Index t = block.last - 1; t >= block.first; --t) {
      const Columns<S> dp = block.frame(adjoint.dp, t), dq = block.frame(adjoint.dq, t);
      const Columns<S> h_before = block.frame(adjoint.h_before, t);
      for (Index i = 0; i < block.count; ++i)
        take_step_back(t, block.sequence + i, dy, dp[i], dq[i], h_before[i], dstate, cache);
      cache.recurrent_.multiply(dq, {}, kHasCell ? dh : through);
      for (Index i = 0; i < block.count; ++i)
        if (cache.x_.starts(t, block.sequence + i))
          set_zero(dstate, block.sequence + i);
        else if constexpr (!kHasCell)
          for_lanes<S>(output_size(), [&](auto j) { dh[i][j] += through[i][j]; });
    }
  }

  /// dp_t, dq_t and what reaches h_{t-1}, or c_{t-1} where there is a cell, feature by feature; of sequence b.
  MINRNN_INLINE void take_step_back(Index t, Index b, SequenceView<const S> dy, Row<S> dp, Row<S> dq, Row<S> h_before,
                                    State& dstate, Cache& cache) const {
    const Index features = output_size();
    const Row<const S> kept = cache.kept_.view().row(t, b), c = cache.c_.view().row(t, b), dy_t = dy.row(t, b);
    const Row<const S> h_from = state_before(cache.h_.view(), cache.first_h_, t, b, cache);
    const Row<const S> c_before = state_before(cache.c_.view(), cache.first_c_, t, b, cache);
    const Row<S> dh = Columns<S>(dstate.h)[b], dc = Columns<S>(dstate.c)[b], d_before = kHasCell ? dc : dh;
    for_lanes<S>(features, [&](auto i) {
      using P = typename decltype(i)::P;
      std::conditional_t<kHasCell, StepCell<P>, P> passed;
      if constexpr (kHasCell)
        passed = {c_before[i], c[i], dc[i]};
      else
        passed = h_from[i];
      const auto d = Gates::backward(load_gates<P, kKept>(i, kept, features), passed, dh[i] + dy_t[i]);
      store_gates(i, d.dp, dp, features);
      if constexpr (!Gates::kSeesSum) store_gates(i, d.dq, dq, features);
      d_before[i] = d.d_before;
      h_before[i] = h_from[i];
    });
  }

  /// dW_ih = sum dp x^T;  dW_hh = sum dq h_{t-1}^T;  db_ih = sum dp;  db_hh = sum dq
  static void to_parameters(Columns<const S> x, const Adjoint& adjoint, const std::array<Columns<S>, 4>& sums,
                            S* scratch) {
    const auto [dw_ih, dw_hh, db_ih, db_hh] = sums;
    add_outer_product(adjoint.dp, x, dw_ih, scratch);
    add_outer_product(adjoint.dq, adjoint.h_before, dw_hh, scratch);
    add_columns(adjoint.dp, db_ih[0]);
    add_columns(adjoint.dq, db_hh[0]);
  }

  /// dx = W_ih^T dp
  static void to_input(const Block& block, const Adjoint& adjoint, Columns<S> frames, SequenceView<S> dx,
                       const Cache& cache) {
    if (block.is_in_place()) return cache.input_.multiply(adjoint.dp, {}, block.in_place(dx));
    cache.input_.multiply(adjoint.dp, {}, frames);
    block.scatter(frames, dx);
  }

  /// h or c before step t of sequence b: zero where the sequence starts there.
  static Row<const S> state_before(SequenceView<const S> s, const Matrix<S>& first, Index t, Index b,
                                   const Cache& cache) {
    if (cache.x_.starts(t, b)) return cache.zero_;
    return t > 0 ? s.row(t - 1, b) : Columns<const S>(first)[b];
  }
  static void set_zero(State& state, Index b) {
    state.h.col(b).setZero();
    if constexpr (kHasCell) state.c.col(b).setZero();
  }

 protected:
  using Base::Base;
};

}  // namespace minrnn::detail
