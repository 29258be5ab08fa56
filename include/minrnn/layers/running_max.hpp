// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

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

namespace minrnn {

/// The largest that each feature was in the frames of a segment so far: at its last frame the maximum of the segment.
///
/// Equations   y_t = max(y_{t-1}, x_t);  -infinity before a start. NaN is larger than any number, and stays
/// Shapes      x, y (F, T, B); state largest (F, B)
/// Gradient    to the frame that y_t is of, the first of equal ones:
///             delta_t = dy_t + [y_{t+1} = y_t] delta_{t+1};  dx_t = [y_t != y_{t-1}] delta_t
/// Memory      kept for backward: nothing but y
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
template <class S>
class RunningMax {
 public:
  using Scalar = S;

  struct State {
    Matrix<S> largest;  // (F, B)

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "largest", self.largest);
    }
  };

  class Cache : public CacheBase {
    friend RunningMax;
    Starts starts_;
    Sequence<S> first_;  // (F, 1, B) the state before the first step
    Output<S> y_, dx_;   // (F, T, B)
  };

  explicit RunningMax(Index features) : features_(features) { detail::check_size("RunningMax", "features", features); }

  Index input_size() const { return features_; }
  Index output_size() const { return features_; }
  State initial_state(Index batch) const {
    detail::check_batch("RunningMax", batch);
    return {Matrix<S>::Constant(features_, batch, -std::numeric_limits<S>::infinity())};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    const auto y = infer(x, state, cache, context);  // y and the first state are all that backward needs
    cache.keep({features_, features_}, x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    detail::check_input("RunningMax", x, features_);
    detail::check_matrix("RunningMax", "state.largest", state.largest, features_, x.batch());
    cache.forget();
    cache.starts_ = x.starts();
    std::copy_n(state.largest.data(), state.largest.size(), cache.first_.resize(features_, 1, x.batch()).data());
    const SequenceView<S> y = cache.y_.resize(features_, x.time(), x.batch(), x);
    const Columns<S> states = state.largest;
    const detail::ChannelTiling tiling = tiles_of(x);
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_groups(tile, [&](const auto& group) {
        const Row<S> largest = states[group.sequence].from(group.first);
        for (Index t = 0; t < x.time(); ++t) {
          const Row<const S> x_t = x.row(t, group.sequence).from(group.first);
          const Row<S> y_t = y.row(t, group.sequence).from(group.first);
          const bool starts = x.starts(t, group.sequence);
          for_lanes<S>(group.count, [&](auto i) {
            const Packet<S> given = x_t[i];
            const Packet<S> after = starts ? given : larger(largest[i], given);
            y_t[i] = after;
            largest[i] = after;
          });
        }
      });
    });
    return SequenceView<const S>(y).with_starts(x.starts());
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("RunningMax", {features_, features_}, dy);
    detail::check_matrix("RunningMax", "dstate.largest", dstate.largest, features_, dy.batch());
    const SequenceView<const S> y = std::as_const(cache.y_).view(), first = std::as_const(cache.first_).view();
    const SequenceView<S> dx = cache.dx_.resize(features_, dy.time(), dy.batch(), dy);
    const Columns<S> deltas = dstate.largest;
    const detail::ChannelTiling tiling = tiles_of(dy);
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_groups(tile, [&](const auto& group) {
        const Row<S> delta = deltas[group.sequence].from(group.first);
        for (Index t = dy.time(); t-- > 0;) {
          const auto of_group = [&](auto row) { return row.from(group.first); };
          const Index b = group.sequence;
          const bool starts = cache.starts_(t, b);
          const Row<const S> dy_t = of_group(dy.row(t, b)), y_t = of_group(y.row(t, b)),
                             before = of_group(t > 0 ? y.row(t - 1, b) : first.row(0, b));
          const Row<S> dx_t = of_group(dx.row(t, b));
          for_lanes<S>(group.count, [&](auto i) {
            const Packet<S> delta_t = delta[i] + dy_t[i], none(S(0)), is_old = before[i] == y_t[i];
            dx_t[i] = starts ? delta_t : select(is_old, none, delta_t);
            delta[i] = starts ? none : select(is_old, delta_t, none);
          });
        }
      });
    });
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}

 private:
  template <class View>
  detail::ChannelTiling tiles_of(const View& view) const {
    return {features_, view.time(), view.batch(), {16.0 * static_cast<double>(features_)}};
  }

  static Packet<S> larger(Packet<S> largest, Packet<S> x) { return select(x == x, select(largest < x, x, largest), x); }

  Index features_;
};

}  // namespace minrnn
