// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// Runs a layer, `inner`, over a long sequence in less memory. Forward keeps the state before each chunk of `steps`
/// frames, and backward computes a chunk again before it goes back through it. Gradients are the same up to the
/// rounding of sums over time; a training step takes the time of one more forward, and of copying y and dx.
///
/// Equations   y = inner(x)
/// Memory      kept for backward: y and dx; what inner keeps of one chunk; and one state for each chunk. This saves
///             most where one Recompute wraps all layers of a model that are wider than its input and output
/// Throws      std::invalid_argument for a chunk of no steps
/// Source      Chen et al. 2016, "Training deep nets with sublinear memory cost"
template <SequenceLayer Inner>
class Recompute {
 public:
  using Scalar = typename Inner::Scalar;
  using State = typename Inner::State;
  static constexpr bool kTellsOfParts = true;

  class Cache : public CacheBase {
    friend Recompute;
    typename Inner::Cache inner_;
    SequenceView<const Scalar> x_;
    LastResult<Scalar> step_;     // lies in inner's cache
    Output<Scalar> y_, dx_;       // (H, T, B), (F, T, B)
    std::vector<State> borders_;  // the state before each chunk
    std::int64_t draw_ = Context::kNoDraw;
  };

  Recompute(Inner inner, Index steps) : inner_(std::move(inner)), steps_(steps) {
    detail::check_size("Recompute", "steps", steps);
  }

  Index input_size() const { return inner_.input_size(); }
  Index output_size() const { return inner_.output_size(); }
  State initial_state(Index batch) const { return detail::part(inner_).initial_state(batch); }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    detail::check_sequence("Recompute", "x", x, input_size());
    cache.forget();
    cache.x_ = x = cache.step_.keep(x);
    cache.borders_.clear();
    cache.draw_ = context.draw;
    const auto y = for_chunks(x, cache, [&](SequenceView<const Scalar> chunk) {
      const Context of_chunk = context.part(static_cast<Index>(cache.borders_.size()));
      cache.borders_.push_back(state);
      return detail::part(inner_).forward(chunk, state, cache.inner_, of_chunk);
    });
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    detail::check_sequence("Recompute", "x", x, input_size());
    cache.forget();
    return for_chunks(x, cache, [&](SequenceView<const Scalar> chunk) {
      return detail::part(inner_).infer(chunk, state, cache.inner_, context);
    });
  }
  FrameView<const Scalar> step(FrameView<const Scalar> x, State& state, Cache& cache,
                               const Context& context = {}) const {
    cache.forget();
    return cache.step_.note(detail::part(inner_).step(x, state, cache.inner_, context));
  }

  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Recompute", sizes(), dy);
    const SequenceView<const Scalar> x = cache.x_;
    const SequenceView<Scalar> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    for (std::size_t i = cache.borders_.size(); i-- > 0;) {
      const Index first = static_cast<Index>(i) * steps_, steps = std::min<Index>(steps_, x.time() - first);
      State state = cache.borders_[i];
      Context of_chunk = Context{cache.draw_, context.executor}.part(static_cast<Index>(i));
      if (i == 0) of_chunk.listener = context.listener;  // every chunk adds to the same gradients; this is the last
      detail::part(inner_).forward(x.chunk(first, steps), state, cache.inner_, of_chunk);
      copy(detail::part(inner_).backward(dy.chunk(first, steps), dstate, cache.inner_, of_chunk),
           dx.chunk(first, steps));
    }
    detail::tell_finished(context, inner_);
    return dx;
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Inner::visit(self.inner_, scope, visitor);
  }

  const Inner& inner() const { return inner_; }

 private:
  CacheBase::Sizes sizes() const { return {input_size(), output_size(), steps_, parameter_count(*this)}; }

  /// One chunk at least, so that inner sees an empty sequence too, and checks its state.
  template <class Body>
  SequenceView<const Scalar> for_chunks(SequenceView<const Scalar> x, Cache& cache, Body&& body) const {
    const SequenceView<Scalar> y = cache.y_.resize(output_size(), x.time(), x.batch(), x);
    Index first = 0;
    do {
      const Index steps = std::min<Index>(steps_, x.time() - first);
      copy(body(x.chunk(first, steps)), y.chunk(first, steps));
      first += steps;
    } while (first < x.time());
    return SequenceView<const Scalar>(y).with_starts(x.starts());
  }
  static void copy(SequenceView<const Scalar> from, SequenceView<Scalar> to) {
    for (Index b = 0; b < from.batch(); ++b)
      std::copy_n(from.column(0, b), from.features() * from.time(), to.column(0, b));
  }

  Inner inner_;
  Index steps_;
};

}  // namespace minrnn
