// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
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

/// Layers of one type, one after the other, as many as run time says.
///
/// Parameters  those of layer i under the name i
/// Throws      std::invalid_argument for no layers at all, or where the sizes of neighbours differ
template <SequenceMap L>
class Stack {
 public:
  using Scalar = typename L::Scalar;
  static constexpr bool kTellsOfParts = true;

  struct State {
    std::vector<typename L::State> parts;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      Index i = 0;
      for (auto& part : self.parts) L::State::visit(part, scope / i++, visitor);
    }
  };

  class Cache : public CacheBase {
    friend Stack;
    std::vector<typename L::Cache> parts_;  // made by the first call, when the depth is known
    LastResult<Scalar> result_;
  };

  /// `make(i)` makes layer i, from a stream of its own so that no two layers begin with the same weights:
  /// Stack(4, [&](Index i) { return MinGru<float>(d, d, random.stream(i)); })
  template <std::invocable<Index> Make>
  requires std::same_as<std::invoke_result_t<Make, Index>, L> Stack(Index depth, Make&& make) {
    detail::check_size("Stack", "depth", depth);
    layers_.reserve(static_cast<std::size_t>(depth));
    for (Index i = 0; i < depth; ++i) layers_.push_back(detail::in_part(i, [&] { return make(i); }));
    for (std::size_t i = 1; i < layers_.size(); ++i)
      detail::check_neighbours(static_cast<Index>(i), layers_[i].input_size(), layers_[i - 1].output_size());
    state_rows_ = detail::rows_of(initial_state(0));
  }

  Index depth() const { return static_cast<Index>(layers_.size()); }
  Index input_size() const { return layers_.empty() ? 0 : layers_.front().input_size(); }
  Index output_size() const { return layers_.empty() ? 0 : layers_.back().output_size(); }
  State initial_state(Index batch) const {
    State state;
    for (const L& layer : layers_) state.parts.push_back(detail::part(layer).initial_state(batch));
    return state;
  }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    prepare(x, state, cache);
    cache.forget();
    x = cache.result_.keep(x);
    x = through_parts(x, [&](std::size_t i, auto x_i) {
      return detail::part(layers_[i]).forward(x_i, state.parts[i], cache.parts_[i], context);
    });
    cache.keep(sizes(), x.time(), x.batch());
    return cache.result_.note(x);
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    prepare(x, state, cache);
    cache.forget();
    return cache.result_.note(through_parts(x, [&](std::size_t i, auto x_i) {
      return detail::part(layers_[i]).infer(x_i, state.parts[i], cache.parts_[i], context);
    }));
  }
  FrameView<const Scalar> step(FrameView<const Scalar> x, State& state, Cache& cache,
                               const Context& context = {}) const requires SequenceLayer<L> {
    prepare(x.sequence(), state, cache);
    cache.forget();
    return cache.result_.note(through_parts(x, [&](std::size_t i, auto x_i) {
      return detail::part(layers_[i]).step(x_i, state.parts[i], cache.parts_[i], context);
    }));
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Stack", sizes(), dy);
    check_state("dstate", dstate, dy.batch());
    for (std::size_t i = layers_.size(); i-- > 0;) {
      dy = detail::in_part(static_cast<Index>(i), [&] {
        return detail::part(layers_[i]).backward(dy, dstate.parts[i], cache.parts_[i], context);
      });
      detail::tell_finished(context, layers_[i]);
    }
    return dy;
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Index i = 0;
    for (auto& layer : self.layers_) L::visit(layer, scope / i++, visitor);
  }

  /// Throws std::invalid_argument where there is no layer i.
  const L& layer(Index i) const {
    detail::check_that(i >= 0 && i < depth(), "Stack", "layer", {"one of ", depth()}, i);
    return layers_[static_cast<std::size_t>(i)];
  }

 private:
  CacheBase::Sizes sizes() const { return {input_size(), output_size(), depth(), parameter_count(*this)}; }

  void check_state(std::string_view argument, const State& state, Index batch) const {
    detail::check_that(state.parts.size() == layers_.size(), "Stack", argument, depth(),
                       static_cast<Index>(state.parts.size()));
    detail::check_state("Stack", argument, *this, state_rows_, state, batch);
  }
  /// x = body(i, x) for layer after layer; what fails there says which layer it is.
  template <class View, class Body>
  View through_parts(View x, const Body& body) const {
    for (std::size_t i = 0; i < layers_.size(); ++i)
      x = detail::in_part(static_cast<Index>(i), [&] { return body(i, x); });
    return x;
  }
  void prepare(SequenceView<const Scalar> x, const State& state, Cache& cache) const {
    detail::check_input("Stack", x, input_size());
    check_state("state", state, x.batch());
    if (cache.parts_.size() != layers_.size()) cache.parts_ = std::vector<typename L::Cache>(layers_.size());
  }

  std::vector<L> layers_;
  std::uint64_t state_rows_;
};

template <std::invocable<Index> Make>
Stack(Index, Make&&) -> Stack<std::invoke_result_t<Make, Index>>;

}  // namespace minrnn
