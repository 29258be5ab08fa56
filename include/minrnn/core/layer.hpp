// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"

namespace minrnn {

namespace detail {
struct AnyVisitor {
  template <class T>
  void operator()(const Name&, T&) const {}
};
}  // namespace detail

/// A causal map from (F, T, B) to (H, T, B) that carries a State across calls. With L = <dy, y> + <dstate, state
/// after>:
///   forward   y = f(x, state); state becomes the state after x. y lives in cache; x must outlive backward.
///   backward  dx = dL/dx, which lives in cache; adds dL/dparameter to grad. dstate: in dL/d(final state), out
///             dL/d(initial state); left out where nothing depends on the final state. Changes nothing that it reads: a
///             second call adds the same again. Throws where forward was not the last to use the cache.
///   infer     the same y as forward without dropout; keeps nothing for a backward.
///   step      infer for one frame; allocates nothing once cache has seen this batch size.
/// Each takes a Context as its last argument, {} by default, and a layer of layers hands it down.
template <class L>
concept SequenceLayer = std::copyable<L> && std::movable<typename L::Cache> && !std::copyable<typename L::Cache> &&
                        requires(L layer, const L fixed, SequenceView<const typename L::Scalar> x,
                                 FrameView<const typename L::Scalar> frame, typename L::State& state,
                                 typename L::Cache& cache, const Context& context, detail::AnyVisitor visitor) {
  { fixed.input_size() } -> std::same_as<Index>;
  { fixed.output_size() } -> std::same_as<Index>;
  { fixed.initial_state(Index{1}) } -> std::same_as<typename L::State>;
  { fixed.forward(x, state, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { layer.backward(x, state, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { layer.backward(x, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { fixed.infer(x, state, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { fixed.step(frame, state, cache, context) } -> std::same_as<FrameView<const typename L::Scalar>>;
  L::visit(layer, Name{}, visitor);
  L::visit(fixed, Name{}, visitor);
  L::State::visit(state, Name{}, visitor);
};

/// A gradient with respect to the state of a layer that is zero: dL/d(final state) where L does not depend on that
/// state. An initial state is none: it may be learned.
template <class L>
typename L::State zero_state(const L& layer, Index batch) {
  auto state = layer.initial_state(batch);
  L::State::visit(state, Name{}, [](const Name&, auto& m) { m.setZero(); });
  return state;
}

namespace detail {
/// Throws where a matrix of a state is that of another batch: before a layer of layers runs any of its parts, so that
/// none has gone ahead when one refuses.
template <class State>
void check_states(std::string_view where, std::string_view argument, const State& state, Index batch) {
  State::visit(state, Name{}, [&](const Name& name, const auto& m) {
    if (m.size() > 0 && m.cols() != batch) [[unlikely]]
      throw_argument(where, std::string(argument) + "." + name.str(), std::to_string(batch) + " columns",
                     std::to_string(m.cols()));
  });
}
}  // namespace detail

/// layer.backward(dy, cache, context) for a layer that has layer.backward(dy, dstate, cache, context).
template <class L, class View, class Cache>
auto backward_from_zero(L& layer, const View& dy, Cache& cache, const Context& context) {
  auto dstate = zero_state(layer, dy.batch());
  return layer.backward(dy, dstate, cache, context);
}

}  // namespace minrnn
