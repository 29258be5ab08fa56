// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"

namespace minrnn {

namespace detail {
struct AnyVisitor {
  template <class T>
  void operator()(const Name&, T&) const {}
};
}  // namespace detail

/// A causal map from (F, T, B) to (H, T, B) that carries a State across calls. With L = <dy, y> + <dstate, state after>:
///   forward   y = f(x, state); state becomes the state after x. y lives in cache; x must outlive backward.
///   backward  dx = dL/dx, which lives in cache; adds dL/dparameter to grad. dstate: in dL/d(final state), out
///             dL/d(initial state). Changes nothing that it reads: a second call adds the same again.
///   infer     the same y as forward without dropout; keeps nothing for a backward.
///   step      infer for one frame; allocates nothing once cache has seen this batch size.
template <class L>
concept SequenceLayer = std::copyable<L> && std::movable<typename L::Cache> && !std::copyable<typename L::Cache> &&
                        requires(L layer, const L fixed, SequenceView<const typename L::Scalar> x,
                                 FrameView<const typename L::Scalar> frame, typename L::State& state,
                                 typename L::Cache& cache, detail::AnyVisitor visitor) {
  { fixed.input_size() } -> std::same_as<Index>;
  { fixed.output_size() } -> std::same_as<Index>;
  { fixed.initial_state(Index{1}) } -> std::same_as<typename L::State>;
  { fixed.forward(x, state, cache) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { layer.backward(x, state, cache) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { fixed.infer(x, state, cache) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { fixed.step(frame, state, cache) } -> std::same_as<FrameView<const typename L::Scalar>>;
  L::visit(layer, Name{}, visitor);
  L::visit(fixed, Name{}, visitor);
  L::State::visit(state, Name{}, visitor);
};

}  // namespace minrnn
