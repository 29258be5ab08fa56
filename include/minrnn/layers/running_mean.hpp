// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/channel_tiling.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn {

/// The mean of the frames of a segment so far: at its last frame the mean of the segment.
///
/// Equations   n_t = n_{t-1} + 1,  y_t = y_{t-1} + (x_t - y_{t-1}) / n_t;  n = 0 before a start
/// Shapes      x, y (F, T, B); state mean (F, B), count (1, B)
/// Gradient    delta_t = dy_t + (1 - 1/n_{t+1}) delta_{t+1};  dx_t = delta_t / n_t;
///             dn_t = dn_{t+1} - dx_t . (x_t - y_{t-1}) / n_t
/// Range       no sum grows: a step rounds y once, by up to half a unit in its last place, and what would move it by
///             less is lost, for frames that spread about their mean by its size after some 1 / eps of them (2^23 in
///             float). From 2 / eps frames on the count stands still, and the mean forgets the oldest
/// Memory      kept for backward: 1 scalar per step
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      Welford 1962, "Note on a method for calculating corrected sums of squares and products"
template <class S>
class RunningMean {
 public:
  using Scalar = S;

  struct State {
    Matrix<S> mean;   // (F, B)
    Matrix<S> count;  // (1, B): the frames that it is of

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "mean", self.mean);
      visitor(scope / "count", self.count);
    }
  };

  class Cache : public CacheBase {
    friend RunningMean;
    SequenceView<const S> x_;  // (F, T, B)
    Sequence<S> mean_, n_;     // (F, 1, B), (1, 1, B) the state before the first step
    Sequence<S> r_;            // (1, T, B) 1 / n_t
    Output<S> y_, dx_;         // (F, T, B)
  };

  explicit RunningMean(Index features) : features_(features) {
    detail::check_size("RunningMean", "features", features);
  }

  Index input_size() const { return features_; }
  Index output_size() const { return features_; }
  State initial_state(Index batch) const {
    detail::check_batch("RunningMean", batch);
    return {Matrix<S>::Zero(features_, batch), Matrix<S>::Zero(1, batch)};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    const auto y = infer(x, state, cache, context);  // which keeps so little that it need not know
    cache.keep({features_, features_}, x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    detail::check_input("RunningMean", x, features_);
    check_state("state", state, x.batch());
    cache.forget();
    cache.x_ = x;
    std::copy_n(state.mean.data(), state.mean.size(), cache.mean_.resize(features_, 1, x.batch()).data());
    std::copy_n(state.count.data(), x.batch(), cache.n_.resize(1, 1, x.batch()).data());
    const SequenceView<S> y = cache.y_.resize(features_, x.time(), x.batch(), x);
    const SequenceView<S> r = cache.r_.resize(1, x.time(), x.batch());
    const Columns<S> means = state.mean;
    const detail::ChannelTiling tiling(features_, x.time(), x.batch(), {12.0 * static_cast<double>(features_)});
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_groups(tile, [&](const auto& group) {
        const Index b = group.sequence;
        const Row<S> mean = means[b].from(group.first);
        S n = *cache.n_.view().column(0, b);
        for (Index t = 0; t < x.time(); ++t) {
          if (x.starts(t, b)) clear(mean, group.count);
          n = x.starts(t, b) ? S(1) : n + 1;
          const S r_t = 1 / n;
          add(x.row(t, b).from(group.first), r_t, mean, y.row(t, b).from(group.first), group.count);
          if (group.number == 0) *r.column(t, b) = r_t;
        }
        if (group.number == 0) state.count(0, b) = n;
      });
    });
    return SequenceView<const S>(y).with_starts(x.starts());
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("RunningMean", {features_, features_}, dy);
    check_state("dstate", dstate, dy.batch());
    const SequenceView<const S> x = cache.x_, r = cache.r_.view();
    const SequenceView<S> dx = cache.dx_.resize(features_, x.time(), x.batch(), dy, x);
    const Columns<S> deltas = dstate.mean;
    const detail::ChannelTiling tiling(features_, x.time(), x.batch(), {16.0 * static_cast<double>(features_)});
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_groups(tile, [&](const auto& group) {
        const Index b = group.sequence;
        const Row<S> delta = deltas[b].from(group.first);
        for (Index t = x.time(); t-- > 0;) {
          to_input(dy.row(t, b).from(group.first), *r.column(t, b), delta, dx.row(t, b).from(group.first), group.count);
          if (x.starts(t, b)) clear(delta, group.count);
        }
      });
    });
    const Pieces pieces(x.batch(), std::max<Index>(tiling.count(), 1));
    parallel_for(context, pieces.count(), tiling.work(), [&](Index piece, Index) {
      for (Index b = pieces.first(piece); b < pieces.last(piece); ++b) to_count(cache, dx, b, dstate.count(0, b));
    });
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}

 private:
  void check_state(std::string_view argument, const State& state, Index batch) const {
    detail::check_matrix("RunningMean", argument, state.mean, features_, batch);
    detail::check_matrix("RunningMean", argument, state.count, 1, batch);
  }

  /// 0, also of what is no number: nothing is seen across a start.
  static void clear(Row<S> row, Index features) { std::fill_n(row.data, features, S(0)); }
  /// y_t = y_{t-1} + (x_t - y_{t-1}) / n_t
  static void add(Row<const S> x, S r, Row<S> mean, Row<S> y, Index features) {
    for_lanes<S>(features, [&](auto i) {
      const Packet<S> before = mean[i];
      const Packet<S> after = fma(x[i] - before, Packet<S>(r), before);
      y[i] = after;
      mean[i] = after;
    });
  }
  /// dx_t = delta_t / n_t; what is left of delta_t goes to the frame before.
  static void to_input(Row<const S> dy, S r, Row<S> delta, Row<S> dx, Index features) {
    for_lanes<S>(features, [&](auto i) {
      const Packet<S> delta_t = delta[i] + dy[i], dx_t = delta_t * r;
      dx[i] = dx_t;
      delta[i] = delta_t - dx_t;
    });
  }
  /// dn_t = dn_{t+1} - dx_t . (x_t - y_{t-1}) / n_t, of the frames of sequence b before its first start.
  void to_count(const Cache& cache, SequenceView<const S> dx, Index b, S& dn) const {
    const SequenceView<const S> x = cache.x_, y = cache.y_.view(), first = cache.mean_.view();
    Index t = 0;
    while (t < x.time() && !x.starts(t, b)) ++t;
    if (t < x.time()) dn = 0;
    while (t-- > 0) {
      const Row<const S> before = t > 0 ? y.row(t - 1, b) : first.row(0, b);
      dn -= dot(dx.row(t, b), x.row(t, b), before) * *cache.r_.view().column(t, b);
    }
  }
  /// dx . (x - before)
  S dot(Row<const S> dx, Row<const S> x, Row<const S> before) const {
    Packet<S> sum(S(0));
    for_lanes<S>(features_, [&](auto i) { sum = fma(dx[i], x[i] - before[i], sum); });
    return sum.sum();
  }

  Index features_;
};

}  // namespace minrnn
