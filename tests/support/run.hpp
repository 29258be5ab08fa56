// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"
#include "support/compare.hpp"
#include "support/threads.hpp"

/// The ways to run a layer, each giving its results by name.
namespace minrnn::tests {

template <class S>
Sequence<S> random_sequence(Index features, Index time, Index batch, Random& random, double deviation = 1) {
  Sequence<S> sequence(features, time, batch);
  for (Index i = 0; i < sequence.size(); ++i) sequence.data()[i] = static_cast<S>(deviation * random.normal());
  return sequence;
}

template <class S>
Matrix<S> random_matrix(Index rows, Index columns, Random& random, double deviation = 1) {
  Matrix<S> m(rows, columns);
  fill_normal(m, random, deviation);
  return m;
}

/// Flags (T, B) that are set at the given (t, b).
inline std::vector<std::uint8_t> starts_at(Index time, Index batch,
                                           std::initializer_list<std::pair<Index, Index>> places) {
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(time * batch), 0);
  for (const auto& [t, b] : places) flags.at(static_cast<std::size_t>(b * time + t)) = 1;
  return flags;
}

template <class L>
std::vector<Matrix<typename L::Scalar>*> matrices_of(typename L::State& state) {
  std::vector<Matrix<typename L::Scalar>*> matrices;
  L::State::visit(state, Name{}, [&](const Name&, auto& m) { matrices.push_back(&m); });
  return matrices;
}

template <class L>
void add_state(Results<typename L::Scalar>& results, const std::string& prefix, typename L::State& state) {
  L::State::visit(state, Name{}, [&](const Name& name, auto& m) { results[prefix + " " + name.str()] = m; });
}

template <class L>
void add_gradients(Results<typename L::Scalar>& results, const L& layer) {
  visit_parameters(layer, [&](const Name& name, const auto& p) { results["grad " + name.str()] = p.grad; });
}

/// dL/d(final state), random and the same for the same seed.
template <class L>
typename L::State random_state_gradient(const L& layer, Index batch, std::uint64_t seed = 99) {
  auto state = layer.initial_state(batch);
  Random random(seed);
  for (auto* m : matrices_of<L>(state)) fill_normal(*m, random, 1);
  return state;
}

/// The state of `source`'s sequence b alone. What is not a matrix stays as `single` has it.
template <class L>
typename L::State state_of_sequence(const L& layer, typename L::State& source, Index batch, Index b) {
  auto single = layer.initial_state(1);
  const auto from = matrices_of<L>(source), to = matrices_of<L>(single);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const Index size = from[i]->size() / batch;
    std::copy_n(from[i]->data() + b * size, size, to[i]->data());
  }
  return single;
}

/// The state after some frames of `warm_up` have passed.
template <class L>
typename L::State state_after(const L& layer, SequenceView<const typename L::Scalar> warm_up) {
  auto state = layer.initial_state(warm_up.batch());
  typename L::Cache cache;
  layer.infer(warm_up, state, cache, context());
  return state;
}

/// Sequence b of every matrix of a state becomes `value`, but for what counts frames.
template <class L>
void poison_state(typename L::State& state, Index batch, Index b, typename L::Scalar value) {
  L::State::visit(state, Name{}, [&](const Name& name, auto& m) {
    if (!name.str().ends_with("position")) std::fill_n(m.data() + b * (m.size() / batch), m.size() / batch, value);
  });
}

template <class L>
struct Example {
  using S = typename L::Scalar;
  struct Poison {
    Index sequence;
    S value;
  };
  Sequence<S> x, dy, warm_up;
  std::vector<std::uint8_t> flags;
  bool has_flags = false;
  bool warm = false;  // begin with a carried state, not an initial one
  std::optional<Poison> of_state, of_state_gradient;

  Example(const L& layer, Index time, Index batch, std::uint64_t seed = 7) {
    Random random(seed);
    x = random_sequence<S>(layer.input_size(), time, batch, random);
    dy = random_sequence<S>(layer.output_size(), time, batch, random);
    warm_up = random_sequence<S>(layer.input_size(), 3, batch, random);
  }
  Example with_starts(std::initializer_list<std::pair<Index, Index>> places) && {
    flags = starts_at(x.time(), x.batch(), places);
    has_flags = true;
    return std::move(*this);
  }
  Example from_carried_state() && {
    warm = true;
    return std::move(*this);
  }

  SequenceView<const S> input() const {
    return SequenceView<const S>(x.view()).with_starts(has_flags ? flags.data() : nullptr);
  }
  SequenceView<const S> output_gradient() const { return dy.view(); }
  typename L::State state(const L& layer) const {
    auto state = warm ? state_after(layer, warm_up.view()) : layer.initial_state(x.batch());
    if (of_state) poison_state<L>(state, x.batch(), of_state->sequence, of_state->value);
    return state;
  }
  typename L::State state_gradient(const L& layer) const {
    auto gradient = random_state_gradient(layer, x.batch());
    if (of_state_gradient) poison_state<L>(gradient, x.batch(), of_state_gradient->sequence, of_state_gradient->value);
    return gradient;
  }
};

/// forward and backward over the whole example, by a cache that may have seen other shapes. Gradients begin at zero.
template <class L>
Results<typename L::Scalar> train(L layer, const Example<L>& example, typename L::Cache& cache) {
  zero_gradients(layer);
  auto state = example.state(layer);
  const auto x = example.input();
  Results<typename L::Scalar> results;
  results["y"] = to_matrix(layer.forward(x, state, cache, context()));
  add_state<L>(results, "state", state);
  auto dstate = example.state_gradient(layer);
  results["dx"] = to_matrix(layer.backward(example.output_gradient(), dstate, cache, context()));
  add_state<L>(results, "dstate", dstate);
  add_gradients(results, layer);
  return results;
}

template <class L>
Results<typename L::Scalar> train(const L& layer, const Example<L>& example) {
  typename L::Cache cache;
  return train(layer, example, cache);
}

/// The same chunk by chunk with the state carried, and back.
template <class L>
Results<typename L::Scalar> train_chunks(L layer, const Example<L>& example, const std::vector<Index>& chunks) {
  using S = typename L::Scalar;
  zero_gradients(layer);
  auto state = example.state(layer);
  const auto x = example.input();
  const auto dy = example.output_gradient();
  EXPECT_EQ(std::accumulate(chunks.begin(), chunks.end(), Index{0}), x.time());
  Sequence<S> y(layer.output_size(), x.time(), x.batch()), dx(layer.input_size(), x.time(), x.batch());
  const auto keep = [&](SequenceView<const S> from, SequenceView<S> to) {
    for (Index b = 0; b < from.batch(); ++b) to.matrix(b) = from.matrix(b);
  };
  std::vector<typename L::Cache> caches(chunks.size());
  Index t = 0;
  for (std::size_t i = 0; i < chunks.size(); t += chunks[i++])
    keep(layer.forward(x.chunk(t, chunks[i]), state, caches[i], context()), y.view().chunk(t, chunks[i]));
  Results<S> results;
  add_state<L>(results, "state", state);
  auto dstate = example.state_gradient(layer);
  for (std::size_t i = chunks.size(); i-- > 0;) {
    t -= chunks[i];
    keep(layer.backward(dy.chunk(t, chunks[i]), dstate, caches[i], context()), dx.view().chunk(t, chunks[i]));
  }
  results["y"] = to_matrix(y.view());
  results["dx"] = to_matrix(dx.view());
  add_state<L>(results, "dstate", dstate);
  add_gradients(results, layer);
  return results;
}

/// The part of the results that needs no backward.
template <class S>
Results<S> values_of(const Results<S>& results) {
  Results<S> values;
  for (const auto& [name, m] : results)
    if (name == "y" || name.starts_with("state ")) values[name] = m;
  return values;
}

template <class L>
Results<typename L::Scalar> infer_chunks(const L& layer, const Example<L>& example, const std::vector<Index>& chunks) {
  using S = typename L::Scalar;
  auto state = example.state(layer);
  typename L::Cache cache;
  const auto x = example.input();
  Sequence<S> y(layer.output_size(), x.time(), x.batch());
  Index t = 0;
  for (const Index chunk : chunks) {
    const auto part = layer.infer(x.chunk(t, chunk), state, cache, context());
    for (Index b = 0; b < x.batch(); ++b) y.view().chunk(t, chunk).matrix(b) = part.matrix(b);
    t += chunk;
  }
  Results<S> results;
  results["y"] = to_matrix(y.view());
  add_state<L>(results, "state", state);
  return results;
}

template <class L>
Results<typename L::Scalar> infer(const L& layer, const Example<L>& example) {
  return infer_chunks(layer, example, {example.x.time()});
}

template <class L>
Results<typename L::Scalar> forward(const L& layer, const Example<L>& example) {
  auto state = example.state(layer);
  typename L::Cache cache;
  Results<typename L::Scalar> results;
  results["y"] = to_matrix(layer.forward(example.input(), state, cache, context()));
  add_state<L>(results, "state", state);
  return results;
}

template <class L>
Results<typename L::Scalar> stream(const L& layer, const Example<L>& example) {
  using S = typename L::Scalar;
  auto state = example.state(layer);
  typename L::Cache cache;
  const auto x = example.input();
  Sequence<S> y(layer.output_size(), x.time(), x.batch());
  for (Index t = 0; t < x.time(); ++t)
    y.view().frame(t).matrix() = layer.step(x.frame(t), state, cache, context()).matrix();
  Results<S> results;
  results["y"] = to_matrix(y.view());
  add_state<L>(results, "state", state);
  return results;
}

}  // namespace minrnn::tests
