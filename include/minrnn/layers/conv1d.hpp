// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/frame_window.hpp"

namespace minrnn {

struct Conv1dOptions {
  Index dilation = 1;  // frames from a tap to the next one
};

/// Causal depthwise convolution over time: each feature is filtered on its own and sees the past alone.
///
/// Equations   y_t = b + sum_{j = 0 .. K-1} w_{K-1-j} * x_{t-jD}, D the dilation; nothing is seen across a start
/// Shapes      x, y (F, T, B); w (F, K), the last column for the present frame, b (F); state tail (F (K-1) D, B), all
///             frames that are still to be seen, oldest first
/// Gradient    dx_s = sum_j w_{K-1-j} * dy_{s+jD};  dw_{K-1-j} = sum_t dy_t * x_{t-jD};  db = sum_t dy_t
/// Parameters  w, b; uniform in +-1 / sqrt(K) at first, as torch.nn.Conv1d with groups = F
/// Memory      kept for backward: the tail before the first step. A step moves the tail, so it costs F K D; that of a
///             `Conv1dCell` costs F K
/// Throws      std::invalid_argument for a size below 1, a kernel above 16, a tail beyond all sizes, a wrong shape
template <class S>
class Conv1d {
 public:
  using Scalar = S;

  using State = FrameTail<S>;

  class Cache : public CacheBase {
    friend Conv1d;
    SequenceView<const S> x_;        // (F, T, B)
    Sequence<S> before_, d_behind_;  // (F, (K-1) D, B) the tail before the first step; scratch
    Output<S> y_, dx_;               // (F, T, B)
    Sequence<S> sums_;               // of each tile: dw, db
  };

  Conv1d(Index features, Index kernel, RandomStream stream, const Conv1dOptions& options = {})
      : window_(checked(features, kernel, options)) {
    Random random(stream);
    w_ = Parameter<S>(features, kernel);
    b_ = Parameter<S>(features);
    const double limit = 1 / std::sqrt(static_cast<double>(kernel));
    fill_symmetric(w_.value, random, limit);
    fill_symmetric(b_.value, random, limit);
  }

  Index input_size() const { return w_.value.rows(); }
  Index output_size() const { return w_.value.rows(); }
  Index kernel_size() const { return w_.value.cols(); }
  Index dilation() const { return window_.dilation(); }
  const Matrix<S>& weight() const { return w_.value; }
  const Matrix<S>& bias() const { return b_.value; }
  State initial_state(Index batch) const {
    detail::check_batch("Conv1d", batch);
    return window_.initial_state(batch);
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    const auto y = infer(x, state, cache, context);  // x and the first tail are all that backward needs
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    detail::check_input("Conv1d", x, input_size());
    window_.check_tail("Conv1d", "state.tail", state.tail, x.batch());
    cache.forget();
    cache.x_ = x;
    const SequenceView<const S> before = window_.copy(state.tail, cache.before_);
    const SequenceView<S> y = cache.y_.resize(input_size(), x.time(), x.batch(), x);
    const Tiling tiling(input_size(), x.time(), x.batch(), {work()});
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_each(tile, [&](Index t, Index b) { filter(x, before, t, b, y.row(t, b)); });
    });
    window_.keep_last(x, before, state.tail);
    return SequenceView<const S>(y).with_starts(x.starts());
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("Conv1d", sizes(), dy);
    const SequenceView<const S> x = cache.x_, before = cache.before_.view();
    window_.check_tail("Conv1d", "dstate.tail", dstate.tail, x.batch());
    const SequenceView<const S> d_behind = window_.copy(dstate.tail, cache.d_behind_);
    const SequenceView<S> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const Tiling tiling(input_size(), x.time(), x.batch(), {2 * work(), w_.size() + b_.size()});
    const GradientSums sums(cache.sums_, tiling.count(), context, w_.grad, b_.grad);
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      const auto of_tile = sums.start(tile);
      tiling.for_each(tile, [&](Index t, Index b) {
        to_input(x, dy, d_behind, t, b, dx.row(t, b));
        to_parameters(x, before, dy, t, b, of_tile[0], of_tile[1][0]);
      });
    });
    window_.for_each_before(dstate.tail, [&](Index s, Row<S> dx_s, Index b) { to_input(x, dy, d_behind, s, b, dx_s); });
    sums.add();
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

  static detail::FrameWindow<S> checked(Index features, Index kernel, const Conv1dOptions& options) {
    detail::check_size("Conv1d", "features", features);
    detail::check_that(kernel >= 1 && kernel <= kMostTaps, "Conv1d", "kernel", "1 .. 16 taps", kernel);
    return {"Conv1d", features, kernel, options.dilation};
  }

  CacheBase::Sizes sizes() const { return {input_size(), output_size(), kernel_size(), dilation()}; }

  /// y_t = b + sum_j w_{K-1-j} * x_{t-jD}
  void filter(SequenceView<const S> x, SequenceView<const S> before, Index t, Index b, Row<S> y_t) const {
    detail::Array<Row<const S>, kMostTaps> x_at;  // [j]: x_{t-jD}
    const Index earlier = window_.earlier_taps(x, t, b);
    for (Index j = 0, s = t; j <= earlier; ++j, s -= dilation()) x_at[j] = window_.frame(x, before, s, b);
    const Row<const S> bias = b_.value;
    for_lanes<S>(input_size(), [&](auto i) {
      Packet<S> sum = bias[i];
      for (Index j = earlier; j >= 0; --j) sum = fma(tap(j)[i], x_at[j][i], sum);
      y_t[i] = sum;
    });
  }

  /// dx_s = sum_j w_{K-1-j} * dy_{s+jD}, over the outputs that saw x_s, and what comes from the final tail where x_s is
  /// part of it.
  void to_input(SequenceView<const S> x, SequenceView<const S> dy, SequenceView<const S> d_behind, Index s, Index b,
                Row<S> dx_s) const {
    detail::Array<Row<const S>, kMostTaps> dy_at, w_at;
    Index count = 0;
    const auto outputs = window_.outputs_of(x, s, b);
    for (Index j = outputs.first; j < outputs.end; ++j) {
      dy_at[count] = dy.row(s + j * dilation(), b);
      w_at[count++] = tap(j);
    }
    const S* const in_tail = window_.in_tail_behind(x, d_behind, s, b);
    const bool is_kept = in_tail != nullptr;
    const Row<const S> kept(in_tail);
    for_lanes<S>(input_size(), [&](auto i) {
      Packet<S> sum = is_kept ? kept[i] : Packet<S>(S(0));
      // Latest output first, where a later chunk has left off: any split gives the same bits.
      for (Index n = count; n-- > 0;) sum = fma(w_at[n][i], dy_at[n][i], sum);
      dx_s[i] = sum;
    });
  }

  /// dw_{K-1-j} += dy_t * x_{t-jD};  db += dy_t
  void to_parameters(SequenceView<const S> x, SequenceView<const S> before, SequenceView<const S> dy, Index t, Index b,
                     Columns<S> dw, Row<S> db) const {
    const Row<const S> dy_t = dy.row(t, b);
    for_lanes<S>(input_size(), [&](auto i) { db[i] += dy_t[i]; });
    for (Index j = window_.earlier_taps(x, t, b); j >= 0; --j) {
      const Row<const S> x_j = window_.frame(x, before, t - j * dilation(), b);
      const Row<S> dw_j = dw[kernel_size() - 1 - j];
      for_lanes<S>(input_size(), [&](auto i) { dw_j[i] = fma(dy_t[i], x_j[i], dw_j[i]); });
    }
  }

  Row<const S> tap(Index j) const { return Row<const S>(w_.value.col(kernel_size() - 1 - j).data()); }
  /// The multiply-adds of a frame, which are slower here than in a product.
  double work() const { return 4 * static_cast<double>(w_.size()); }

  Parameter<S> w_;  // (F, K)
  Parameter<S> b_;  // (F)
  detail::FrameWindow<S> window_;
};

}  // namespace minrnn
