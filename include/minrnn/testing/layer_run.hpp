// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"

/// The ways to run a layer, each giving its results by name: what `check_layer` compares.
namespace minrnn::detail::promises {

/// What runs gave: "y", "dx" (features, T B), "state h", "dstate h" (whose columns belong to sequences), "gradient w".
template <class S>
using LayerResults = std::map<std::string, Matrix<S>>;

template <class L>
std::vector<Matrix<typename L::Scalar>*> matrices_of(typename L::State& state) {
  std::vector<Matrix<typename L::Scalar>*> matrices;
  L::State::visit(state, Name{}, [&](const Name&, auto& m) { matrices.push_back(&m); });
  return matrices;
}

template <class L>
void add_state(LayerResults<typename L::Scalar>& results, const std::string& prefix, typename L::State& state) {
  L::State::visit(state, Name{}, [&](const Name& name, auto& m) { results[prefix + " " + name.str()] = m; });
}

template <class L>
void add_gradients(LayerResults<typename L::Scalar>& results, const L& layer) {
  visit_parameters(layer, [&](const Name& name, const auto& p) { results["gradient " + name.str()] = p.grad; });
}

/// Sequence b of a state takes the place of sequence c of another one. Each matrix holds as much for every sequence.
template <class L>
void copy_sequence(typename L::State& from, Index batch, Index b, typename L::State& to, Index to_batch, Index c) {
  const auto source = matrices_of<L>(from), target = matrices_of<L>(to);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const Index size = source[i]->size() / batch;
    if (target[i]->size() != size * to_batch) throw std::runtime_error("a state is not as large as its batch");
    std::copy_n(source[i]->data() + b * size, size, target[i]->data() + c * size);
  }
}

/// What a training step is given: x and its starts, the state before it, and the gradients of the loss
/// L = <dy, y> + <dlast, state after x>.
template <class L>
struct LayerExample {
  using S = typename L::Scalar;

  Index time, batch;
  Matrix<S> x, dy;                  // (F, T B), (H, T B)
  typename L::State first, dlast;   // before the first frame; behind the last one
  std::vector<std::uint8_t> flags;  // (T, B)

  SequenceView<const S> input() const {
    return SequenceView<const S>(x.data(), x.rows(), time, batch).with_starts(flags.data());
  }
  SequenceView<const S> output_gradient() const { return {dy.data(), dy.rows(), time, batch}; }
  LayerExample with_starts(std::initializer_list<std::pair<Index, Index>> places) const {
    LayerExample copy = *this;
    for (const auto& [t, b] : places) copy.flags[static_cast<std::size_t>(b * time + t)] = 1;
    return copy;
  }
  LayerExample from(const typename L::State& state) const {
    LayerExample copy = *this;
    copy.first = state;
    return copy;
  }
  /// Frames [begin, end) of sequence b alone, without its starts: from the initial state where one starts at `begin`,
  /// and without a gradient from behind where frames follow.
  LayerExample part(const L& layer, Index b, Index begin, Index end) const {
    LayerExample one{end - begin,
                     1,
                     x.middleCols(b * time + begin, end - begin),
                     dy.middleCols(b * time + begin, end - begin),
                     layer.initial_state(1),
                     zero_state(layer, 1),
                     std::vector<std::uint8_t>(static_cast<std::size_t>(end - begin), 0)};
    LayerExample whole = *this;
    if (begin == 0 && !input().starts(0, b)) copy_sequence<L>(whole.first, batch, b, one.first, 1, 0);
    if (end == time) copy_sequence<L>(whole.dlast, batch, b, one.dlast, 1, 0);
    return one;
  }
};

/// A part of a result as columns of the whole. Throws where a layer gives another shape.
template <class S>
void put(SequenceView<const S> part, Index first, Index time, Matrix<S>& whole) {
  const Index batch = part.batch();
  if (part.features() != whole.rows() || batch * time != whole.cols() || part.time() > time - first)
    throw std::runtime_error("a result has the shape " + shape_text(part.features(), part.time(), batch));
  for (Index b = 0; b < batch; ++b) whole.middleCols(b * time + first, part.time()) = part.matrix(b);
}

enum class Way { forward, infer, step };

/// What calls are told where nothing else is said: what forward draws is always the same.
inline constexpr Context kFirstDraw{.draw = 0};

/// y and the state after it, `chunk` frames at a time (one, for step) with the state carried.
template <class L>
LayerResults<typename L::Scalar> run_layer(const L& layer, const LayerExample<L>& example, Way way, Index chunk,
                                           typename L::Cache& cache) {
  using S = typename L::Scalar;
  auto state = example.first;
  Matrix<S> y(layer.output_size(), example.x.cols());
  for (Index t = 0; t < example.time; t += chunk) {
    const auto x = example.input().chunk(t, std::min<Index>(chunk, example.time - t));
    const SequenceView<const S> part = way == Way::forward ? layer.forward(x, state, cache, kFirstDraw)
                                       : way == Way::infer
                                           ? layer.infer(x, state, cache, kFirstDraw)
                                           : layer.step(x.frame(0), state, cache, kFirstDraw).sequence();
    put(part, t, example.time, y);
  }
  LayerResults<S> results;
  results["y"] = y;
  add_state<L>(results, "state", state);
  return results;
}

template <class L>
LayerResults<typename L::Scalar> run_layer(const L& layer, const LayerExample<L>& example, Way way) {
  typename L::Cache cache;
  return run_layer(layer, example, way, way == Way::step ? 1 : example.time, cache);
}

/// forward and backward from gradients of zero, in as many chunks as there are caches, with the state and its gradient
/// carried.
template <class L>
LayerResults<typename L::Scalar> train_layer(L& layer, const LayerExample<L>& example,
                                             std::span<typename L::Cache> caches, const Context& context = kFirstDraw) {
  using S = typename L::Scalar;
  const auto count = static_cast<Index>(caches.size());
  const auto boundary = [&](Index i) { return example.time * i / count; };
  Matrix<S> y(layer.output_size(), example.x.cols()), dx(layer.input_size(), example.x.cols());
  zero_gradients(layer);
  auto state = example.first, dstate = example.dlast;
  for (Index i = 0; i < count; ++i) {
    const auto x = example.input().chunk(boundary(i), boundary(i + 1) - boundary(i));
    put(layer.forward(x, state, caches[static_cast<std::size_t>(i)], context), boundary(i), example.time, y);
  }
  for (Index i = count; i-- > 0;) {
    const auto dy = example.output_gradient().chunk(boundary(i), boundary(i + 1) - boundary(i));
    put(layer.backward(dy, dstate, caches[static_cast<std::size_t>(i)], context), boundary(i), example.time, dx);
  }
  LayerResults<S> results;
  results["y"] = y;
  results["dx"] = dx;
  add_state<L>(results, "state", state);
  add_state<L>(results, "dstate", dstate);
  add_gradients(results, layer);
  return results;
}

template <class L>
LayerResults<typename L::Scalar> train_layer(L layer, const LayerExample<L>& example,
                                             const Context& context = kFirstDraw) {
  typename L::Cache cache;
  return train_layer(layer, example, std::span(&cache, 1), context);
}

/// Frames [begin, end) of sequence b of what the results name with one of these beginnings; of a state the whole
/// sequence.
template <class S>
LayerResults<S> select(const LayerResults<S>& results, std::initializer_list<std::string_view> names, Index batch,
                       Index b, Index begin, Index end) {
  LayerResults<S> selected;
  for (const auto& [name, m] : results)
    if (std::any_of(names.begin(), names.end(),
                    [&name = name](auto beginning) { return name.starts_with(beginning); })) {
      const bool is_state = name.find(' ') != std::string::npos;
      const Index size = m.size() / batch, time = is_state ? 0 : m.cols() / batch;
      selected[name] = is_state ? Matrix<S>(Eigen::Map<const Matrix<S>>(m.data() + b * size, size, 1))
                                : Matrix<S>(m.middleCols(b * time + begin, end - begin));
    }
  return selected;
}

}  // namespace minrnn::detail::promises
