// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <string_view>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/partial_sums.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn::detail {

/// What GRU and LSTM have in common: gates that see the state before, so that time must be walked step by step.
///
/// Equations   p_t = W_ih x_t + b_ih for many t at once;  q_t = W_hh h_{t-1} + b_hh;
///             (h_t, c_t) = Gates(p_t, q_t, h_{t-1}, c_{t-1})
/// Gradient    dp_t, dq_t and the direct part of dh_{t-1}, dc_{t-1} by Gates;  dh_{t-1} += W_hh^T dq_t;
///             dW_ih = sum dp_t x_t^T;  dW_hh = sum dq_t h_{t-1}^T;  dx_t = W_ih^T dp_t
/// Shapes      G gates; x (F, T, B); p, q (G H, T, B); h, c (H, T, B)
/// Memory      kept for backward: 4 H of Gates, h, and c where there is one: 5 H (GRU) or 6 H (LSTM) scalars per step;
///             and dx, F
///
/// A thread owns groups of sequences, so that the recurrent product has columns to work on. Time is cut into blocks,
/// the frames of a group side by side: one product serves all its sequences, and the sums of a weight's gradient are
/// read and written once for many columns.
template <class S, class Gates>
class Recurrent {
  static constexpr int kGates = Gates::kCount, kKept = 4;
  static constexpr bool kHasCell = Gates::kHasCell;
  static constexpr Index kGroup = 16, kColumns = 256;

 public:
  using Scalar = S;

  struct State {
    Matrix<S> h;  // (H, B)
    Matrix<S> c;  // (H, B) of an LSTM, else empty

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "h", self.h);
      if constexpr (kHasCell) visitor(scope / "c", self.c);
    }
  };

  class Cache : public CacheBase {
    friend Recurrent;
    // kept for backward
    SequenceView<const S> x_;      // (F, T, B)
    Sequence<S> kept_;             // (4 H, T, B) what Gates keeps
    Output<S> h_;                  // (H, T, B)
    Sequence<S> c_;                // (H, T, B)
    Matrix<S> first_h_, first_c_;  // (H, B) the state before the first step
    // results and scratch
    Output<S> dx_;                 // (F, T, B)
    Sequence<S> frames_, before_;  // per worker: x or dx, and h_{t-1}, of a block (F or H, columns)
    Sequence<S> p_, q_;            // per worker: (G H, columns), and of a frame (G H, group); or dp and dq of a block
    Sequence<S> through_;          // per worker: W_hh^T dq of a frame (H, group)
    Sequence<S> packed_;           // per worker: of add_outer_product
    PackedWeight<S> input_, recurrent_;  // W_ih and W_hh, or their transposes
    Matrix<S> recurrent_transposed_;     // W_hh^T, for groups of one sequence
    PartialSums<S> gradients_;           // per group: dW_ih, dW_hh, db_ih, db_hh
  };

  Index input_size() const { return weight_ih_.value.cols(); }
  Index output_size() const { return weight_hh_.value.cols(); }
  State initial_state(Index batch) const {
    check_batch(Gates::kName, batch);
    const Matrix<S> zero = Matrix<S>::Zero(output_size(), batch);
    return {zero, kHasCell ? zero : Matrix<S>()};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    cache.x_ = x;
    cache.first_h_ = state.h;
    cache.first_c_ = state.c;
    const auto y = run<true>(x, state, cache, context);
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    return run<false>(x, state, cache, context);
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

 private:
  template <bool keep>
  SequenceView<const S> run(SequenceView<const S> x, State& state, Cache& cache, const Context& context) const {
    const Index inputs = input_size(), features = output_size(), rows = kGates * features;
    const Index time = x.time(), batch = x.batch(), workers = context.workers(), columns = block_columns(time, batch);
    const SequenceView<S> h = cache.h_.resize(features, time, batch, x);
    const SequenceView<S> c = keep && kHasCell ? cache.c_.resize(features, time, batch) : SequenceView<S>();
    const SequenceView<S> kept = keep ? cache.kept_.resize(kKept * features, time, batch) : SequenceView<S>();
    const SequenceView<S> frames = cache.frames_.resize(inputs, columns, workers);
    const SequenceView<S> p = cache.p_.resize(rows, columns, workers);
    const SequenceView<S> q = cache.q_.resize(rows, kGroup, workers);
    // A weight is packed where enough columns or steps share it.
    const bool pack_input = time > 1 && time * batch >= kFewColumns, pack_recurrent = pack_input && batch > 1;
    cache.input_.prepare(weight_ih_.value, pack_input ? kFewColumns : 0);
    cache.recurrent_.prepare(weight_hh_.value, pack_recurrent ? kFewColumns : 0);

    parallel_for(context, group_count(batch), [&](Index group, Index worker) {
      const Index first_sequence = group * kGroup, count = std::min<Index>(kGroup, batch - first_sequence);
      const Index block = kColumns / count;
      for (Index first = 0; first < time; first += block) {
        const Index last = std::min<Index>(time, first + block);
        S *x_block = frames.column(0, worker), *q_t = q.column(0, worker);
        gather(x, first, last, first_sequence, count, x_block);
        const Index size = (last - first) * count;
        cache.input_.multiply({x_block, inputs, size}, bias_ih_.value, p.columns(0, size, worker));
        for (Index t = first; t < last; ++t) {
          if (x.starts().flags != nullptr)
            for (Index b = first_sequence; b < first_sequence + count; ++b)
              if (x.starts(t, b)) {
                state.h.col(b).setZero();
                if constexpr (kHasCell) state.c.col(b).setZero();
              }
          cache.recurrent_.multiply(Columns<const S>(state.h).block(first_sequence, count), bias_hh_.value,
                                    {q_t, rows, count});
          for (Index i = 0; i < count; ++i) {
            const Index b = first_sequence + i;
            const S *p_t = p.column((t - first) * count + i, worker), *q_i = q_t + i * rows;
            S *kept_t = keep ? kept.column(t, b) : nullptr, *h_row = state.h.col(b).data();
            for_lanes<S>(features, [&](auto lanes) {
              typename Gates::Forward g;
              unroll<kGates>([&](auto k) {
                g.p[k] = lanes.load(p_t + k * features);
                g.q[k] = lanes.load(q_i + k * features);
              });
              g.h = lanes.load(h_row);
              if constexpr (kHasCell) g.c = lanes.load(state.c.col(b).data());
              Gates::forward(g);
              if constexpr (keep) unroll<kKept>([&](auto k) { lanes.store(kept_t + k * features, g.kept[k]); });
              lanes.store(h_row, g.h);
              lanes.store(h.column(t, b), g.h);
              if constexpr (kHasCell) {
                lanes.store(state.c.col(b).data(), g.c);
                if constexpr (keep) lanes.store(c.column(t, b), g.c);
              }
            });
          }
        }
      }
    });
    return SequenceView<const S>(h).with_starts(x.starts());
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    const SequenceView<const S> x = cache.x_, kept = cache.kept_.view(), h = cache.h_.view(), c = cache.c_.view();
    cache.check_backward(Gates::kName, sizes(), dy);
    check_matrix(Gates::kName, "dstate.h", dstate.h, h.features(), h.batch());
    if constexpr (kHasCell) check_matrix(Gates::kName, "dstate.c", dstate.c, h.features(), h.batch());
    const Index inputs = input_size(), features = output_size(), rows = kGates * features;
    const Index recurrent = rows * inputs, bias_ih = recurrent + rows * features, bias_hh = bias_ih + rows;
    const Index groups = group_count(h.batch()), workers = context.workers();
    const Index columns = block_columns(h.time(), h.batch());
    const SequenceView<S> dx = cache.dx_.resize(inputs, h.time(), h.batch(), dy, x);
    const SequenceView<S> frames = cache.frames_.resize(inputs, columns, workers);
    const SequenceView<S> before = cache.before_.resize(features, columns, workers);
    const SequenceView<S> dp = cache.p_.resize(rows, columns, workers);
    const SequenceView<S> dq = Gates::kSameGradient ? dp : cache.q_.resize(rows, columns, workers);
    const SequenceView<S> through = cache.through_.resize(features, kGroup, workers);
    const SequenceView<S> packed = cache.packed_.resize(kOuterScratch<S>, 1, workers);
    cache.input_.prepare_transposed(weight_ih_.value);
    cache.recurrent_transposed_ = weight_hh_.value.transpose();
    cache.recurrent_.prepare(cache.recurrent_transposed_, h.batch() > 1 ? kFewColumns : 0);
    cache.gradients_.reset(bias_hh + rows, groups, context);

    parallel_for(context, groups, [&](Index group, Index worker) {
      const Index first_sequence = group * kGroup, count = std::min<Index>(kGroup, h.batch() - first_sequence);
      const Index block = kColumns / count;
      S *sums = cache.gradients_.tile(group), *product = through.column(0, worker);
      for (Index last = h.time(); last > 0;) {
        const Index first = std::max<Index>(0, last - block), size = (last - first) * count;
        for (Index t = last - 1; t >= first; --t) {
          const Index frame = (t - first) * count;
          for (Index i = 0; i < count; ++i) {
            const Index b = first_sequence + i;
            const bool start = x.starts(t, b);
            S* h_before = before.column(frame + i, worker);
            if (start)
              std::fill_n(h_before, features, S(0));
            else
              std::copy_n(t > 0 ? h.column(t - 1, b) : cache.first_h_.col(b).data(), features, h_before);
            const S* c_before = nullptr;
            if constexpr (kHasCell)
              if (!start) c_before = t > 0 ? c.column(t - 1, b) : cache.first_c_.col(b).data();
            S *dh = dstate.h.col(b).data(), *dp_t = dp.column(frame + i, worker), *dq_t = dq.column(frame + i, worker);
            const S* kept_t = kept.column(t, b);
            for_lanes<S>(features, [&](auto lanes) {
              typename Gates::Backward g;
              unroll<kKept>([&](auto k) { g.kept[k] = lanes.load(kept_t + k * features); });
              g.h_before = lanes.load(h_before);
              g.dh = lanes.load(dy.column(t, b)) + lanes.load(dh);
              if constexpr (kHasCell) {
                g.c = lanes.load(c.column(t, b));
                g.c_before = c_before ? lanes.load(c_before) : Packet<S>(S(0));
                g.dc = lanes.load(dstate.c.col(b).data());
              }
              Gates::backward(g);
              unroll<kGates>([&](auto k) {
                lanes.store(dp_t + k * features, g.dp[k]);
                if constexpr (!Gates::kSameGradient) lanes.store(dq_t + k * features, g.dq[k]);
              });
              lanes.store(dh, g.dh);
              if constexpr (kHasCell) lanes.store(dstate.c.col(b).data(), g.dc);
            });
          }
          // dh_{t-1} = its direct part + W_hh^T dq_t, unless the sequence starts at t
          const S* dq_t = dq.column(frame, worker);
          cache.recurrent_.multiply({dq_t, rows, count}, {}, {product, features, count});
          for (Index i = 0; i < count; ++i) {
            const Index b = first_sequence + i;
            S* dh = dstate.h.col(b).data();
            if (x.starts(t, b)) {
              std::fill_n(dh, features, S(0));
              if constexpr (kHasCell) dstate.c.col(b).setZero();
              continue;
            }
            for_lanes<S>(features,
                         [&](auto lanes) { lanes.store(dh, lanes.load(dh) + lanes.load(product + i * features)); });
          }
        }
        S* block_frames = frames.column(0, worker);
        const S *block_dp = dp.column(0, worker), *block_dq = dq.column(0, worker);
        gather(x, first, last, first_sequence, count, block_frames);
        const Columns<const S> dp_n(block_dp, rows, size), dq_n(block_dq, rows, size);
        add_outer_product<S>(dp_n, {block_frames, inputs, size}, {sums, rows, inputs}, packed.column(0, worker));
        add_outer_product<S>(dq_n, before.columns(0, size, worker), {sums + recurrent, rows, features},
                             packed.column(0, worker));
        add_columns<S>(dp_n, Row<S>(sums + bias_ih));
        add_columns<S>(dq_n, Row<S>(sums + bias_hh));
        cache.input_.multiply(dp_n, {}, {block_frames, inputs, size});
        for (Index t = first; t < last; ++t)
          for (Index i = 0; i < count; ++i, block_frames += inputs)
            std::copy_n(block_frames, inputs, dx.column(t, first_sequence + i));
        last = first;
      }
    });
    cache.gradients_.add_to(0, weight_ih_.grad, context);
    cache.gradients_.add_to(recurrent, weight_hh_.grad, context);
    cache.gradients_.add_to(bias_ih, bias_ih_.grad, context);
    cache.gradients_.add_to(bias_hh, bias_hh_.grad, context);
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "weight_ih", self.weight_ih_);
    visitor(scope / "weight_hh", self.weight_hh_);
    visitor(scope / "bias_ih", self.bias_ih_);
    visitor(scope / "bias_hh", self.bias_hh_);
  }

 protected:
  /// All parameters uniform in +-1 / sqrt(H), as torch.nn.GRU and torch.nn.LSTM.
  Recurrent(Index inputs, Index features, RandomStream stream) {
    Random random(stream);
    check_size(Gates::kName, "inputs", inputs);
    check_size(Gates::kName, "features", features);
    const double limit = 1 / std::sqrt(static_cast<double>(features));
    weight_ih_ = Parameter<S>(kGates * features, inputs);
    weight_hh_ = Parameter<S>(kGates * features, features);
    bias_ih_ = Parameter<S>(kGates * features);
    bias_hh_ = Parameter<S>(kGates * features);
    for (Parameter<S>* p : {&weight_ih_, &weight_hh_, &bias_ih_, &bias_hh_}) fill_symmetric(p->value, random, limit);
  }

 private:
  static Index group_count(Index batch) { return (batch + kGroup - 1) / kGroup; }
  /// The most columns that a block of any group has.
  static Index block_columns(Index time, Index batch) {
    return std::min<Index>(kColumns, time * std::min<Index>(batch, kGroup));
  }

  /// The frames [first, last) of a group of sequences side by side.
  static void gather(SequenceView<const S> x, Index first, Index last, Index first_sequence, Index count, S* frames) {
    for (Index t = first; t < last; ++t)
      for (Index i = 0; i < count; ++i, frames += x.features())
        std::copy_n(x.column(t, first_sequence + i), x.features(), frames);
  }

  CacheBase::Sizes sizes() const { return {input_size(), output_size()}; }

  void check_argument(SequenceView<const S> x, const State& state) const {
    check_input(Gates::kName, x, input_size());
    check_matrix(Gates::kName, "state.h", state.h, output_size(), x.batch());
    if constexpr (kHasCell) check_matrix(Gates::kName, "state.c", state.c, output_size(), x.batch());
  }

  Parameter<S> weight_ih_, weight_hh_;  // (G H, F), (G H, H)
  Parameter<S> bias_ih_, bias_hh_;      // (G H)
};

}  // namespace minrnn::detail
