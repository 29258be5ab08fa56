// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/narrow_product.hpp"
#include "minrnn/math/narrow_number.hpp"

namespace minrnn {

namespace detail {

/// Throws unless every weight may be stored.
template <class S>
void check_weights(const Name& name, const Matrix<S>& w, WeightFormat format) {
  for (Index r = 0; r < w.rows(); ++r)
    for (Index c = 0; c < w.cols(); ++c)
      if (!fits(format, w(r, c))) [[unlikely]]
        throw_argument("quantise", name.str(), wanted_of(format),
                       {static_cast<double>(w(r, c)), " at (", r, ", ", c, ")"});
}

template <class S>
void store_as_bf16(const Matrix<S>& w, ReadBy read_by, NarrowWeight<S>& narrow) {
  narrow.bf16.resize(w.rows(), w.cols(), read_by);
  for (Index c = 0; c < w.cols(); ++c)
    for (Index r = 0; r < w.rows(); ++r) narrow.bf16(r, c) = {bf16_of(w(r, c))};
}

/// Row by row, or of a table column by column.
template <class S>
void store_as_int8(const Matrix<S>& w, ReadBy read_by, NarrowWeight<S>& narrow) {
  const bool by_columns = read_by == ReadBy::symbols;
  const Index lines = by_columns ? w.cols() : w.rows(), length = by_columns ? w.rows() : w.cols();
  narrow.int8.resize(w.rows(), w.cols(), read_by);
  narrow.scale.resize(by_columns ? 1 : lines, by_columns ? lines : 1);
  for (Index line = 0; line < lines; ++line) {
    const auto at = [&](auto& matrix, Index i) -> auto& { return by_columns ? matrix(i, line) : matrix(line, i); };
    const S scale = narrow.scale.data()[line] = int8_scale<S>(length, [&](Index i) { return at(w, i); });
    for (Index i = 0; i < length; ++i) at(narrow.int8, i) = int8_of(at(w, i), scale);
  }
}

}  // namespace detail

/// A layer or a model that only streams, with its large weights in 16 or 8 bits: `infer` and `step` take half or a
/// quarter of the memory, and where the weights do not fit into the caches, of the time.
///
///   const auto narrow = quantise(model, WeightFormat::int8);
///   auto state = narrow.initial_state(1);
///   decltype(narrow)::Cache cache;  // State and Cache are those of the model
///   while (read(frame)) write(narrow.step(frame, state, cache));
///
/// Equations   those of the layer, of which every W x becomes W' x'. What is not read by a product or as the table of
///             an embedding stays as it is: biases, norms, convolutions, diagonal weights, states.
///             bf16: W' is W rounded to 8 significant bits, |w' - w| <= 2^-8 |w|, and x' is x. The bits are those
///             of the layer with the weights W', whatever the target.
///             int8: w' = s_r q with an integer q, |q| <= 127, and s_r = max |w| / 127 over the row r, or over what
///             stands for a symbol: |w' - w| <= s_r / 2. x' = s p with integers p, |p| <= 2^14, and s a power of two
///             for each 1024 numbers of a frame, 2^13 s <= max |x| <= 2^14 s: |x' - x| <= s / 2. Sums of q p are exact.
///             So a product is off by no more than sum_k (|x_k| s_r + |w'_rk| s) / 2, and by rounding behind it.
/// Gradient    none: it has neither forward nor backward
/// Parameters  those of the layer under their names. In a checkpoint a weight is BF16; or it is I8, and beside it is
///             its scale, NAME/scale: (rows, 1), or (1, symbols) of an embedding, so that weight = q scale
/// Memory      what is not streamed is gone: weights in float, gradients. `infer` unpacks one weight of bf16 at a time
///             where there are many frames, and has the pre-activations of all frames where the layer itself has those
///             of a block
/// Throws      std::invalid_argument for a weight that is not finite, or is not in 16 bits, with its name and place
template <class L>
class Quantised {
 public:
  using Scalar = typename L::Scalar;
  using State = typename L::State;
  using Cache = typename L::Cache;

  Quantised(L layer, WeightFormat format) : layer_(std::move(layer)), format_(format) {
    visit_parameters(layer_, [&](const Name& name, Parameter<Scalar>& p) {
      p.grad.resize(0, 0);
      if (p.read_by == ReadBy::elements || p.size() == 0) return;
      detail::check_weights(name, p.value, format);
      if (format == WeightFormat::bf16)
        detail::store_as_bf16(p.value, p.read_by, p.narrow);
      else
        detail::store_as_int8(p.value, p.read_by, p.narrow);
      p.narrow.multiply = detail::multiply_narrow<Scalar>;
      p.value.resize(0, 0);
    });
  }

  WeightFormat format() const { return format_; }

  Index input_size() const requires requires(const L& layer) { layer.input_size(); }
  { return layer_.input_size(); }
  Index output_size() const requires requires(const L& layer) { layer.output_size(); }
  { return layer_.output_size(); }
  Index vocabulary_size() const requires requires(const L& layer) { layer.vocabulary_size(); }
  { return layer_.vocabulary_size(); }
  State initial_state(Index batch) const { return layer_.initial_state(batch); }

  /// As those of the layer.
  template <class X>
  auto infer(X&& x, State& state, Cache& cache, const Context& context = {}) const requires requires(const L& layer) {
    layer.infer(std::forward<X>(x), state, cache, context);
  }
  { return layer_.infer(std::forward<X>(x), state, cache, context); }
  template <class X>
  auto infer(X&& x, Cache& cache, const Context& context = {}) const requires requires(const L& layer) {
    layer.infer(std::forward<X>(x), cache, context);
  }
  { return layer_.infer(std::forward<X>(x), cache, context); }
  template <class X>
  auto step(X&& x, State& state, Cache& cache, const Context& context = {}) const requires requires(const L& layer) {
    layer.step(std::forward<X>(x), state, cache, context);
  }
  { return layer_.step(std::forward<X>(x), state, cache, context); }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    L::visit(self.layer_, scope, [&](const Name& name, auto& p) {
      if (!p.is_narrow()) {
        visitor(name, p);
      } else if (p.narrow.is_bf16()) {
        visitor(name, p.narrow.bf16);
      } else {
        visitor(name, p.narrow.int8);
        visitor(name / "scale", p.narrow.scale);
      }
    });
  }

 private:
  L layer_;
  WeightFormat format_;
};

/// A copy of a layer for streaming alone, with weights in 16 or 8 bits; see `Quantised`.
template <class L>
Quantised<L> quantise(L layer, WeightFormat format) {
  return {std::move(layer), format};
}

}  // namespace minrnn
