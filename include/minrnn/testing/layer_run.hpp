// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/testing/any_layer.hpp"

/// The ways to run a layer, each giving its results by name: what `check_layer` compares.
namespace minrnn::detail::promises {

using erased::AnyCache;
using erased::AnyLayer;
using erased::AnyState;

/// What runs gave: "y", "dx" (features, T B), "state h", "dstate h" (whose columns belong to sequences), "gradient w".
template <class S>
using LayerResults = std::map<std::string, Matrix<S>>;

template <class S>
std::vector<Matrix<S>*> matrices_of(AnyState<S>& state) {
  std::vector<Matrix<S>*> matrices;
  AnyState<S>::visit(state, Name{}, [&](const Name&, Matrix<S>& m) { matrices.push_back(&m); });
  return matrices;
}
template <class S>
std::vector<const Matrix<S>*> matrices_of(const AnyState<S>& state) {
  std::vector<const Matrix<S>*> matrices;
  AnyState<S>::visit(state, Name{}, [&](const Name&, const Matrix<S>& m) { matrices.push_back(&m); });
  return matrices;
}

template <class S>
void add_state(LayerResults<S>& results, const std::string& prefix, const AnyState<S>& state) {
  AnyState<S>::visit(state, Name{},
                     [&](const Name& name, const Matrix<S>& m) { results[prefix + " " + name.str()] = m; });
}

template <class S>
void add_gradients(LayerResults<S>& results, const AnyLayer<S>& layer) {
  visit_parameters(layer, [&](const Name& name, const Parameter<S>& p) { results["gradient " + name.str()] = p.grad; });
}

/// Sequence b of a state takes the place of sequence c of another one, but for the matrices that is_copied(name)
/// denies. Each matrix holds as much for every sequence.
template <class S, class IsCopied>
void copy_sequence(const AnyState<S>& from, Index batch, Index b, AnyState<S>& to, Index to_batch, Index c,
                   IsCopied&& is_copied) {
  const auto target = matrices_of(to);
  std::size_t i = 0;
  AnyState<S>::visit(from, Name{}, [&](const Name& name, const Matrix<S>& source) {
    Matrix<S>& m = *target[i++];
    const Index size = source.size() / batch;
    if (m.size() != size * to_batch) throw std::runtime_error("a state is not as large as its batch");
    if (is_copied(name.str())) std::copy_n(source.data() + b * size, size, m.data() + c * size);
  });
}
template <class S>
void copy_sequence(const AnyState<S>& from, Index batch, Index b, AnyState<S>& to, Index to_batch, Index c) {
  copy_sequence(from, batch, b, to, to_batch, c, [](const std::string&) { return true; });
}

/// The names of those matrices of a state that a layer takes behind the last frame and leaves before the first. A
/// causal layer has none.
using ReversedStates = std::set<std::string>;

/// What a training step is given: x and its starts, the state before it, and the gradients of the loss
/// L = <dy, y> + <dlast, state after x>.
template <class S>
struct LayerExample {
  Index time, batch;
  Matrix<S> x, dy;                  // (F, T B), (H, T B)
  AnyState<S> first, dlast;         // before the first frame; behind the last one. What is reversed: the other way
  std::vector<std::uint8_t> flags;  // (T, B), or none
  ReversedStates reversed = {};

  SequenceView<const S> input() const {
    return SequenceView<const S>(x.data(), x.rows(), time, batch).with_starts(flags.empty() ? nullptr : flags.data());
  }
  SequenceView<const S> output_gradient() const { return {dy.data(), dy.rows(), time, batch}; }
  LayerExample with_starts(std::initializer_list<std::pair<Index, Index>> places) const {
    LayerExample copy = *this;
    copy.flags.resize(static_cast<std::size_t>(time * batch), 0);
    for (const auto& [t, b] : places) copy.flags[static_cast<std::size_t>(b * time + t)] = 1;
    return copy;
  }
  LayerExample from(const AnyState<S>& state) const {
    LayerExample copy = *this;
    copy.first = state;
    return copy;
  }
  /// Whether the state before frame `begin` of sequence b is what is given to the example, and not an initial one; of
  /// what is reversed, the state behind frame end - 1.
  bool takes_state(const std::string& name, Index b, Index begin, Index end) const {
    return reversed.contains(name) ? end == time : begin == 0 && !input().starts(0, b);
  }
  /// Whether frames [begin, end) leave the state that the example leaves.
  bool leaves_state(const std::string& name, Index begin, Index end) const {
    return reversed.contains(name) ? begin == 0 : end == time;
  }
  /// Frames [begin, end) of sequence b alone, without its starts: from the initial state where one starts at `begin`,
  /// and without a gradient from behind where frames follow.
  LayerExample part(const AnyLayer<S>& layer, Index b, Index begin, Index end) const {
    LayerExample one{end - begin,
                     1,
                     x.middleCols(b * time + begin, end - begin),
                     dy.middleCols(b * time + begin, end - begin),
                     layer.initial_state(1),
                     zero_state(layer, 1),
                     {},
                     reversed};
    copy_sequence(first, batch, b, one.first, 1, 0,
                  [&](const std::string& name) { return takes_state(name, b, begin, end); });
    copy_sequence(dlast, batch, b, one.dlast, 1, 0,
                  [&](const std::string& name) { return leaves_state(name, begin, end); });
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
template <class S>
LayerResults<S> run_layer(const AnyLayer<S>& layer, const LayerExample<S>& example, Way way, Index chunk,
                          AnyCache& cache, const Context& context = kFirstDraw) {
  auto state = example.first;
  Matrix<S> y(layer.output_size(), example.x.cols());
  for (Index t = 0; t < example.time; t += chunk) {
    const auto x = example.input().chunk(t, std::min<Index>(chunk, example.time - t));
    const SequenceView<const S> part = way == Way::forward ? layer.forward(x, state, cache, context)
                                       : way == Way::infer ? layer.infer(x, state, cache, context)
                                                           : layer.step(x.frame(0), state, cache, context).sequence();
    put(part, t, example.time, y);
  }
  LayerResults<S> results;
  results["y"] = y;
  add_state(results, "state", state);
  return results;
}

template <class S>
LayerResults<S> run_layer(const AnyLayer<S>& layer, const LayerExample<S>& example, Way way,
                          const Context& context = kFirstDraw) {
  AnyCache cache;
  return run_layer(layer, example, way, way == Way::step ? 1 : example.time, cache, context);
}

/// forward and backward from gradients of zero, in as many chunks as there are caches, with the state and its gradient
/// carried. Where there are more chunks than frames, some are empty, the first among them.
template <class S>
LayerResults<S> train_layer(AnyLayer<S>& layer, const LayerExample<S>& example, std::span<AnyCache> caches,
                            const Context& context = kFirstDraw) {
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
  add_state(results, "state", state);
  add_state(results, "dstate", dstate);
  add_gradients(results, layer);
  return results;
}

template <class S>
LayerResults<S> train_layer(AnyLayer<S> layer, const LayerExample<S>& example, const Context& context = kFirstDraw) {
  AnyCache cache;
  return train_layer(layer, example, std::span(&cache, 1), context);
}

template <class S>
LayerResults<S> train_in_chunks(AnyLayer<S> layer, const LayerExample<S>& example, Index count,
                                const Context& context = kFirstDraw) {
  std::vector<AnyCache> caches(static_cast<std::size_t>(count));
  return train_layer(layer, example, std::span(caches), context);
}

/// What every way to run a layer gives, and its name: chunks and steps are for causal layers.
template <class S>
using WayResults = std::vector<std::pair<std::string, LayerResults<S>>>;

template <class S>
WayResults<S> run_every_way(const AnyLayer<S>& layer, const LayerExample<S>& example) {
  if (!layer.is_causal())
    return {{"training", train_layer(layer, example)}, {"infer", run_layer(layer, example, Way::infer)}};
  return {{"training", train_layer(layer, example)},
          {"training in two chunks", train_in_chunks(layer, example, 2)},
          {"infer", run_layer(layer, example, Way::infer)},
          {"step", run_layer(layer, example, Way::step)}};
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
