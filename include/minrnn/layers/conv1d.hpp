// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/partial_sums.hpp"
#include "minrnn/kernels/tiling.hpp"

namespace minrnn {

/// Causal depthwise convolution over time: each feature is filtered on its own and sees the past alone.
///
/// Equations   y_t = b + sum_{j = 0 .. K-1} w_{K-1-j} * x_{t-j}; nothing is seen across a start
/// Shapes      x, y (F, T, B); w (F, K), the last column for the present frame, b (F); state tail (F (K-1), B), oldest
///             first
/// Gradient    dx_s = sum_j w_{K-1-j} * dy_{s+j};  dw_{K-1-j} = sum_t dy_t * x_{t-j};  db = sum_t dy_t
/// Parameters  w, b; uniform in +-1 / sqrt(K) at first, as torch.nn.Conv1d with groups = F
/// Memory      kept for backward: the tail before the first step
/// Throws      std::invalid_argument for a size below 1, a kernel above 16, a wrong shape
template <class S>
class Conv1d {
 public:
  using Scalar = S;

  struct State {
    Matrix<S> tail;  // (F (K-1), B): the frames before the next one, oldest first; 0 where nothing is to be seen

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "tail", self.tail);
    }
  };

  class Cache : public CacheBase {
    friend Conv1d;
    SequenceView<const S> x_;           // (F, T, B)
    Sequence<S> first_, last_;          // (F (K-1), 1, B) the tail before the first step; scratch
    Output<S> y_, dx_;                  // (F, T, B)
    detail::PartialSums<S> gradients_;  // per tile: dw, db
  };

  Conv1d(Index features, Index kernel, Random& random) {
    detail::check_size("Conv1d", "features", features);
    detail::check(kernel >= 1 && kernel <= kMostTaps, "Conv1d", "kernel", "1 .. 16 taps", kernel);
    w_ = Parameter<S>(features, kernel);
    b_ = Parameter<S>(features);
    const double limit = 1 / std::sqrt(static_cast<double>(kernel));
    fill_symmetric(w_.value, random, limit);
    fill_symmetric(b_.value, random, limit);
  }

  Index input_size() const { return w_.value.rows(); }
  Index output_size() const { return w_.value.rows(); }
  Index kernel_size() const { return w_.value.cols(); }
  State initial_state(Index batch) const {
    detail::check_batch("Conv1d", batch);
    return {Matrix<S>::Zero(input_size() * (kernel_size() - 1), batch)};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    const auto y = infer(x, state, cache, context);  // x and the first tail are all that backward needs
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    detail::check_input("Conv1d", x, input_size());
    detail::check_matrix("Conv1d", "state.tail", state.tail, input_size() * (kernel_size() - 1), x.batch());
    cache.forget();
    cache.x_ = x;
    keep(state.tail, cache.first_);
    const Index features = input_size();
    const SequenceView<S> y = cache.y_.resize(features, x.time(), x.batch(), x);
    const Tiling tiling(features, x.time(), x.batch());
    for_sequences(context, tiling, [&](Index b, Index first, Index last, Index) {
      for (Index t = first; t < last; ++t) {
        detail::Array<const S*, kMostTaps> frame;
        const Index reach = this->reach(x, t, b);
        for (Index j = 0; j <= reach; ++j) frame[j] = frame_at(x, cache.first_.data(), t - j, b);
        for_lanes<S>(features, [&](auto lanes) {
          Packet<S> sum = lanes.load(b_.value.data());
          for (Index j = reach; j >= 0; --j) sum = fma(lanes.load(tap(w_.value, j)), lanes.load(frame[j]), sum);
          lanes.store(y.column(t, b), sum);
        });
      }
    });
    for (Index b = 0; b < x.batch(); ++b) {
      const Index seen = seen_after(x, b);
      for (Index j = 1; j < kernel_size(); ++j) {  // j frames before the next one
        S* to = tail_frame(state.tail.data(), j, b);
        if (j > seen)
          std::fill_n(to, features, S(0));
        else
          std::copy_n(frame_at(x, cache.first_.data(), x.time() - j, b), features, to);
      }
    }
    return SequenceView<const S>(y).with_starts(x.starts());
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("Conv1d", sizes(), dy);
    const SequenceView<const S> x = cache.x_;
    detail::check_matrix("Conv1d", "dstate.tail", dstate.tail, input_size() * (kernel_size() - 1), x.batch());
    const Index features = input_size(), kernel = kernel_size(), time = x.time();
    const SequenceView<S> dx = cache.dx_.resize(features, time, x.batch(), dy, x);
    const Tiling tiling(features, time, x.batch());
    cache.gradients_.reset(w_.size() + features, tiling.count(), context);
    keep(dstate.tail, cache.last_);

    // dL/d(frame at s): from the outputs that saw it, and from the final tail where it is part of that.
    const auto gather = [&](Index s, Index b, S* to) {
      detail::Array<const S*, kMostTaps> source;
      detail::Array<Index, kMostTaps> by;
      Index count = 0;
      for (Index j = std::max<Index>(0, -s); j < kernel && s + j < time; ++j)
        if (reach(x, s + j, b) >= j) {
          source[count] = dy.column(s + j, b);
          by[count++] = j;
        }
      const Index before_next = time - s;
      const S* final = before_next < kernel && before_next <= seen_after(x, b)
                           ? tail_frame(cache.last_.data(), before_next, b)
                           : nullptr;
      for_lanes<S>(features, [&](auto lanes) {
        Packet<S> sum = final ? lanes.load(final) : Packet<S>(S(0));
        // Latest output first, where a later chunk has left off: any split gives the same bits.
        for (Index i = count; i-- > 0;) sum = fma(lanes.load(tap(w_.value, by[i])), lanes.load(source[i]), sum);
        lanes.store(to, sum);
      });
    };
    for_sequences(context, tiling, [&](Index b, Index first, Index last, Index tile) {
      S* dw = cache.gradients_.tile(tile);
      S* db = dw + w_.size();
      for (Index t = first; t < last; ++t) {
        gather(t, b, dx.column(t, b));
        const S* dy_t = dy.column(t, b);
        for_lanes<S>(features, [&](auto lanes) { lanes.store(db, lanes.load(db) + lanes.load(dy_t)); });
        for (Index j = reach(x, t, b); j >= 0; --j) {
          const S* frame = frame_at(x, cache.first_.data(), t - j, b);
          S* sum = dw + (kernel - 1 - j) * features;
          for_lanes<S>(features, [&](auto lanes) {
            lanes.store(sum, fma(lanes.load(dy_t), lanes.load(frame), lanes.load(sum)));
          });
        }
      }
    });
    for (Index b = 0; b < x.batch(); ++b)
      for (Index j = 1; j < kernel; ++j) gather(-j, b, tail_frame(dstate.tail.data(), j, b));
    cache.gradients_.add_to(0, w_.grad, context);
    cache.gradients_.add_to(w_.size(), b_.grad, context);
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w_);
    visitor(scope / "b", self.b_);
  }

 private:
  static constexpr Index kMostTaps = 16;

  CacheBase::Sizes sizes() const { return {input_size(), output_size(), kernel_size()}; }

  /// How many earlier frames the output at t sees: fewer than K - 1 after a start.
  Index reach(SequenceView<const S> x, Index t, Index b) const {
    for (Index j = 0; j < kernel_size() - 1 && j <= t; ++j)
      if (x.starts(t - j, b)) return j;
    return kernel_size() - 1;
  }
  /// How many earlier frames a frame after the last would see.
  Index seen_after(SequenceView<const S> x, Index b) const {
    return x.time() == 0 ? kernel_size() - 1 : std::min<Index>(kernel_size() - 1, reach(x, x.time() - 1, b) + 1);
  }
  /// The weights of the frame j steps back.
  const S* tap(const Matrix<S>& w, Index j) const { return w.col(kernel_size() - 1 - j).data(); }
  /// The frame j steps before the one that comes next.
  template <class T>
  T* tail_frame(T* tail, Index j, Index b) const {
    return tail + (b * (kernel_size() - 1) + kernel_size() - 1 - j) * input_size();
  }
  const S* frame_at(SequenceView<const S> x, const S* tail, Index t, Index b) const {
    return t >= 0 ? x.column(t, b) : tail_frame(tail, -t, b);
  }
  /// A copy in memory that grows and never shrinks, so that `step` may change its batch size without an allocation.
  static void keep(const Matrix<S>& tail, Sequence<S>& copy) {
    std::copy_n(tail.data(), tail.size(), copy.resize(tail.rows(), 1, tail.cols()).data());
  }

  template <class Body>
  static void for_sequences(const Context& context, const Tiling& tiling, Body&& body) {
    parallel_for(context, tiling.count(), [&](Index tile, Index) {
      const auto t = tiling[tile];
      for (Index b = t.first_sequence; b < t.last_sequence; ++b) body(b, t.first_step, t.last_step, tile);
    });
  }

  Parameter<S> w_;  // (F, K)
  Parameter<S> b_;  // (F)
};

}  // namespace minrnn
