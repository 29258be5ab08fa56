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
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/frame_window.hpp"

namespace minrnn {

struct UnfoldOptions {
  Index dilation = 1;  // frames from one that is seen to the next
};

/// The last frames as the features of one: a tapped delay line. With a `Linear` behind it, a causal convolution over
/// time of all features with all:
///
///   Sequential net{Unfold<float>(8, 3, {.dilation = 2}), Linear<float>(3 * 8, 16, random.stream(0))};
///
/// which is torch.nn.Conv1d(8, 16, 3, dilation=2) behind (K - 1) D zeros on the left, also in its first weights. Two
/// layers, because so the product is that of `Linear`: as fast, and in as few bits where it is quantised. Groups, or a
/// convolution over features too, are a weight with zeros. Features that are filtered each alone: `Conv1d`.
///
/// Equations   y_t = (x_{t-(K-1)D}, ..., x_{t-D}, x_t), D the dilation; 0 where a start, or nothing, lies between
/// Shapes      x (F, T, B), y (K F, T, B), the oldest frame first; state tail (F (K-1) D, B), all frames that are still
///             to be seen, oldest first. Of a kernel (H, F, K) of PyTorch W of the Linear is (H, K F): permuted to
///             (H, K, F); Keras' (K, F, H) is its transpose as it lies in memory
/// Gradient    dx_s = sum_j dy_{s+jD} of the features K-1-j, j = 0 .. K-1
/// Parameters  none
/// Memory      kept for backward: nothing but y, K F scalars per step. A step moves the tail, so it costs F K D; that
///             of an `UnfoldCell` costs F K
/// Throws      std::invalid_argument for a size below 1, a tail or an output beyond all sizes, a wrong shape
template <class S>
class Unfold {
 public:
  using Scalar = S;
  using State = FrameTail<S>;

  class Cache : public CacheBase {
    friend Unfold;
    SequenceView<const S> x_;        // (F, T, B)
    Sequence<S> before_, d_behind_;  // (F, (K-1) D, B) the tail before the first step; scratch
    Output<S> y_, dx_;               // (K F, T, B), (F, T, B)
  };

  Unfold(Index features, Index kernel, const UnfoldOptions& options = {})
      : window_("Unfold", features, kernel, options.dilation) {}

  Index input_size() const { return window_.features(); }
  Index output_size() const { return window_.kernel() * window_.features(); }
  Index kernel_size() const { return window_.kernel(); }
  Index dilation() const { return window_.dilation(); }
  State initial_state(Index batch) const {
    detail::check_batch("Unfold", batch);
    return window_.initial_state(batch);
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    const auto y = infer(x, state, cache, context);  // backward looks at no frame
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    detail::check_input("Unfold", x, input_size());
    window_.check_tail("Unfold", "state.tail", state.tail, x.batch());
    cache.forget();
    cache.x_ = x;
    const SequenceView<const S> before = window_.copy(state.tail, cache.before_);
    const SequenceView<S> y = cache.y_.resize(output_size(), x.time(), x.batch(), x);
    const Tiling tiling(output_size(), x.time(), x.batch(), {work()});
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_each(tile, [&](Index t, Index b) { gather(x, before, t, b, y.column(t, b)); });
    });
    window_.keep_last(x, before, state.tail);
    return SequenceView<const S>(y).with_starts(x.starts());
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache,
                                 const Context& context = {}) const {
    cache.check_backward("Unfold", sizes(), dy);
    const SequenceView<const S> x = cache.x_;
    window_.check_tail("Unfold", "dstate.tail", dstate.tail, x.batch());
    const SequenceView<const S> d_behind = window_.copy(dstate.tail, cache.d_behind_);
    const SequenceView<S> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const Tiling tiling(input_size(), x.time(), x.batch(), {work()});
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      tiling.for_each(tile, [&](Index t, Index b) { to_input(x, dy, d_behind, t, b, dx.row(t, b)); });
    });
    window_.for_each_before(dstate.tail, [&](Index s, Row<S> dx_s, Index b) { to_input(x, dy, d_behind, s, b, dx_s); });
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) const {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}

 private:
  CacheBase::Sizes sizes() const { return {input_size(), output_size(), kernel_size(), dilation()}; }
  /// Where the features of x_{t-jD} begin in y_t.
  Index place(Index j) const { return (kernel_size() - 1 - j) * input_size(); }

  /// y_t = (x_{t-(K-1)D}, ..., x_t)
  void gather(SequenceView<const S> x, SequenceView<const S> before, Index t, Index b, S* y_t) const {
    const Index earlier = window_.earlier_taps(x, t, b);
    std::fill_n(y_t, place(earlier), S(0));
    for (Index j = earlier; j >= 0; --j)
      std::copy_n(window_.frame(x, before, t - j * dilation(), b).data, input_size(), y_t + place(j));
  }

  /// dx_s = sum_j dy_{s+jD} of the features K-1-j, over the outputs that saw x_s, and what comes from the final tail
  /// where x_s is part of it.
  void to_input(SequenceView<const S> x, SequenceView<const S> dy, SequenceView<const S> d_behind, Index s, Index b,
                Row<S> dx_s) const {
    const S* const in_tail = window_.in_tail_behind(x, d_behind, s, b);
    if (in_tail == nullptr)
      std::fill_n(dx_s.data, input_size(), S(0));
    else
      std::copy_n(in_tail, input_size(), dx_s.data);
    const auto outputs = window_.outputs_of(x, s, b);
    // Latest output first, where a later chunk has left off: any split gives the same bits.
    for (Index j = outputs.end; j-- > outputs.first;) {
      const Row<const S> dy_j(dy.column(s + j * dilation(), b) + place(j));
      for_lanes<S>(input_size(), [&](auto i) { dx_s[i] += dy_j[i]; });
    }
  }

  /// A copy of each number, as multiply-adds.
  double work() const { return static_cast<double>(output_size()); }

  detail::FrameWindow<S> window_;
};

}  // namespace minrnn
