// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/layers/running_max.hpp"
#include "minrnn/layers/running_mean.hpp"

namespace minrnn {

/// What of the frames of a segment its one answer is made of.
enum class Pooling {
  last,  // the last frame
  mean,  // the mean of all frames
  max,   // the largest that each feature was
};

/// Pooling over a segment, chosen at run time. At the last frame of a segment stands what the whole of it gives, and at
/// each frame before what it gave up to there.
///
/// Equations   y = x, or those of `RunningMean` or `RunningMax`
/// Shapes      x, y (F, T, B); state that of the layer chosen
/// Gradient    the layer's own
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
template <class S>
class Pool {
 public:
  using Scalar = S;

  struct State {
    typename RunningMean<S>::State mean;    // empty unless chosen
    typename RunningMax<S>::State largest;  // the same

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      if (self.mean.mean.rows() > 0) RunningMean<S>::State::visit(self.mean, scope, visitor);
      if (self.largest.largest.rows() > 0) RunningMax<S>::State::visit(self.largest, scope, visitor);
    }
  };

  class Cache : public CacheBase {
    friend Pool;
    typename RunningMean<S>::Cache mean_;
    typename RunningMax<S>::Cache max_;
  };

  Pool(Index features, Pooling pooling) : mean_(features), max_(features), pooling_(pooling) {}

  Pooling pooling() const { return pooling_; }
  Index input_size() const { return mean_.input_size(); }
  Index output_size() const { return mean_.input_size(); }
  State initial_state(Index batch) const {
    detail::check_batch("Pool", batch);
    State state;
    if (pooling_ == Pooling::mean) state.mean = mean_.initial_state(batch);
    if (pooling_ == Pooling::max) state.largest = max_.initial_state(batch);
    return state;
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    detail::check_input("Pool", x, input_size());
    cache.forget();
    const auto y = pooling_ == Pooling::mean  ? mean_.forward(x, state.mean, cache.mean_, context)
                   : pooling_ == Pooling::max ? max_.forward(x, state.largest, cache.max_, context)
                                              : x;
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    detail::check_input("Pool", x, input_size());
    cache.forget();
    return pooling_ == Pooling::mean  ? mean_.infer(x, state.mean, cache.mean_, context)
           : pooling_ == Pooling::max ? max_.infer(x, state.largest, cache.max_, context)
                                      : x;
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("Pool", sizes(), dy);
    return pooling_ == Pooling::mean  ? mean_.backward(dy, dstate.mean, cache.mean_, context)
           : pooling_ == Pooling::max ? max_.backward(dy, dstate.largest, cache.max_, context)
                                      : dy;
  }
  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}

 private:
  CacheBase::Sizes sizes() const { return {input_size(), input_size(), static_cast<Index>(pooling_)}; }

  RunningMean<S> mean_;
  RunningMax<S> max_;
  Pooling pooling_;
};

}  // namespace minrnn
