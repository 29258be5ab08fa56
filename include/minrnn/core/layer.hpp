// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// A map from (F, T, B) to (H, T, B) that carries a State across calls. With L = <dy, y> + <dstate, state after>:
///   forward   y = f(x, state); state becomes the state after x. y lives in cache; x must outlive backward.
///   backward  dx = dL/dx, which lives in cache; adds dL/dparameter to grad. dstate: in dL/d(final state), out
///             dL/d(initial state); left out where nothing depends on the final state. Changes nothing that it reads: a
///             second call adds the same again. Throws where forward was not the last to use the cache.
///   infer     the same y as forward without dropout; keeps nothing for a backward.
/// Each takes a Context as its last argument, {} by default, and a layer of layers hands it down. A frame of y may
/// depend on frames ahead, as that of a `Bidirectional`: then a call is for whole segments, and none for a part of one.
template <class L>
concept SequenceMap =
    Parameterised<L> && std::copyable<L> && std::movable<typename L::Cache> && !std::copyable<typename L::Cache> &&
    requires(L layer, const L fixed, SequenceView<const typename L::Scalar> x, typename L::State& state,
             typename L::Cache& cache, const Context& context, detail::AnyVisitor visitor) {
  { fixed.input_size() } -> std::same_as<Index>;
  { fixed.output_size() } -> std::same_as<Index>;
  { fixed.initial_state(Index{1}) } -> std::same_as<typename L::State>;
  { fixed.forward(x, state, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { layer.backward(x, state, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { layer.backward(x, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  { fixed.infer(x, state, cache, context) } -> std::same_as<SequenceView<const typename L::Scalar>>;
  L::State::visit(state, Name{}, visitor);
};

/// A SequenceMap that is causal: no frame of y depends on frames ahead. So any chunks of time, with the state carried
/// from one to the next, give what one call gives, and so does
///   step      infer for one frame; allocates nothing once cache has seen this batch size.
template <class L>
concept SequenceLayer = SequenceMap<L> &&
    requires(const L fixed, FrameView<const typename L::Scalar> frame, typename L::State& state,
             typename L::Cache& cache, const Context& context) {
  { fixed.step(frame, state, cache, context) } -> std::same_as<FrameView<const typename L::Scalar>>;
};

/// A gradient with respect to the state of a layer that is zero: dL/d(final state) where L does not depend on that
/// state. An initial state is none: it may be learned.
template <class L>
typename L::State zero_state(const L& layer, Index batch) {
  auto state = layer.initial_state(batch);
  L::State::visit(state, Name{}, [](const Name&, auto& m) { m.setZero(); });
  return state;
}

/// True for a layer of layers that hands the listener of a context down and tells it of each of its parts.
template <class L>
concept TellsOfParts = requires {
  requires L::kTellsOfParts;
};

namespace detail {
/// Tells the listener of a context that backward has come through a layer with all parameters of it. For the layer
/// around that one to call; where the inner one tells of its parts it has done so itself.
template <class L>
void tell_finished(const Context& context, const L& layer) {
  if constexpr (!TellsOfParts<L>)
    if (context.listener != nullptr) [[unlikely]]
      visit_parameters(layer, [&](const Name&, const auto& p) { context.listener->finished(&p); });
}

/// Calls body(name, a, b) for each matrix of two states, in the order of the visit; allocates nothing. Returns whether
/// the states have as many.
template <class A, class B, class Body>
bool visit_both(A& state, B& other, const Body& body) {
  using State = std::remove_const_t<A>;
  Index count = 0, count_of_other = 0;
  State::visit(state, Name{}, [&](const Name& name, auto& a) {
    count_of_other = 0;
    State::visit(other, Name{}, [&](const Name&, const auto& b) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(a)>, std::remove_cvref_t<decltype(b)>>)
        if (count_of_other == count) body(name, a, b);
      ++count_of_other;
    });
    ++count;
  });
  return count == count_of_other;
}

/// A hash of the rows of all matrices of a state: other layers have others. Calls also(matrix) for each of them.
template <class State, class Also>
std::uint64_t rows_of(const State& state, const Also& also) {
  std::uint64_t hash = 0;
  State::visit(state, Name{}, [&](const Name&, const auto& m) {
    hash = mix_bits(hash + static_cast<std::uint64_t>(m.rows()) + kRandomStep);
    also(m);
  });
  return hash;
}
template <class State>
std::uint64_t rows_of(const State& state) {
  return rows_of(state, [](const auto&) {});
}

template <class L>
[[noreturn]] MINRNN_COLD void throw_state(std::string_view where, std::string_view argument, const L& layer,
                                          const typename L::State& state, Index batch) {
  const auto wanted = layer.initial_state(0);
  visit_both(state, wanted, [&](const Name& name, const auto& m, const auto& of_layer) {
    if (m.rows() != of_layer.rows() || (m.size() > 0 && m.cols() != batch))
      throw_matrix(where, {argument, ".", name.str()}, of_layer.rows(), batch, m.rows(), m.cols());
  });
  throw_argument(where, argument, "the state of this layer", "that of another, or of one that was moved from");
}

/// Throws unless a state is one of this layer of layers, whose `rows_of` is `rows`, and of this batch. Before any part
/// runs, so that none has gone ahead when one refuses; and what does not fit is named by the path of the visit.
template <class L>
void check_state(std::string_view where, std::string_view argument, const L& layer, std::uint64_t rows,
                 const typename L::State& state, Index batch) {
  bool fits = true;
  const std::uint64_t given = rows_of(state, [&](const auto& m) { fits &= m.size() == 0 || m.cols() == batch; });
  if (!fits || given != rows) [[unlikely]]
    throw_state(where, argument, layer, state, batch);
}
}  // namespace detail

/// Lets sequence b of a state begin anew and leaves the others as they are: it gets the state of `initial`, which is
/// `initial_state(1)` of the layer, learned or not. The next frame then gives what it gives with a start flag, bit for
/// bit. For one stream of many that are streamed in step, as an environment whose episode has ended:
///   const auto initial = layer.initial_state(1);
///   for (Index b = 0; b < batch; ++b)
///     if (ended[b]) reset(state, b, initial);
///   action = layer.step(frames, state, cache);
/// Allocates nothing. Throws std::invalid_argument where there is no sequence b, or `initial` is not the state of one
/// sequence of the same layer; nothing has changed then.
template <class State>
void reset(State& state, Index b, const State& initial) {
  const bool alike = detail::visit_both(state, initial, [&](const Name& name, const auto& m, const auto& from) {
    if (m.size() == 0 && from.size() == 0) return;
    detail::check_index("reset", "b", b, m.cols());
    if (from.rows() != m.rows() || from.cols() != 1) [[unlikely]]
      detail::throw_matrix("reset", {"initial.", name.str()}, m.rows(), 1, from.rows(), from.cols());
  });
  detail::check_that(alike, "reset", "initial", "the state of the same layer", "one of another number of parts");
  detail::visit_both(state, initial, [&](const Name&, auto& m, const auto& from) {
    if (m.size() > 0) m.col(b) = from.col(0);
  });
}

/// The same, of the layer whose state it is: reset(layer, state, b). Makes an initial state, which allocates.
template <class L>
void reset(const L& layer, typename L::State& state, Index b) {
  reset(state, b, layer.initial_state(1));
}

/// layer.backward(dy, cache, context) for a layer that has layer.backward(dy, dstate, cache, context).
template <class L, class View, class Cache>
auto backward_from_zero(L& layer, const View& dy, Cache& cache, const Context& context) {
  auto dstate = zero_state(layer, dy.batch());
  return layer.backward(dy, dstate, cache, context);
}

}  // namespace minrnn
