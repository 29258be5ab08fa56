// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "minrnn/cells/cell_text.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/types.hpp"

// Compilers that know which functions may wait or allocate, check that those of a cell do not (Clang 20 and later, with
// -Wfunction-effects).
#if defined(__clang__)
#if __has_cpp_attribute(clang::nonblocking)
#define MINRNN_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef MINRNN_NONBLOCKING
#define MINRNN_NONBLOCKING
#endif

namespace minrnn::detail {

/// What a cell computes, apart from where its weights lie: a struct of constants and static functions.
///
///   kInputs, kOutputs               features in and out
///   State                           what the past left behind; a copyable value without a heap
///   kWeights                        how many its weights are, one after the other: a `WeightsSize`, or a number
///   kLayout                         what they are, for a reader
///   pack(layer, weights)            writes them from a layer
///   initial_state(weights)          the state before the first frame
///   step(weights, x, state, y)      y and the state after x. y may not lie where x does. Never allocates, locks or
///                                   throws. May read up to kSlack scalars behind the weights, to no effect
///   describe(text)                  kind and sizes: weights fit a cell that describes itself with the same text
///
/// Weights are a pointer to scalars, or a `NarrowPointer` where matrices have 16 or 8 bits, which is a pointer to
/// scalars too for what is no matrix. A form that has matrices takes either.
template <class F, class S = typename F::Scalar>
concept CellForm = std::semiregular<typename F::State> &&
    requires(const S* weights, const S* x, typename F::State& state, S* y, FixedText<0>& text) {
  { F::kInputs } -> std::convertible_to<Index>;
  { F::kOutputs } -> std::convertible_to<Index>;
  { F::kWeights } -> std::convertible_to<WeightsSize>;
  { F::kLayout } -> std::convertible_to<std::string_view>;
  { F::initial_state(weights) } -> std::same_as<typename F::State>;
  F::step(weights, x, state, y);
  F::describe(text);
};

/// A register that holds rows of a weight also covers what lies behind the last of them. So many scalars must be there:
/// two of the largest registers of any target.
inline constexpr Index kSlack = 32;

/// Weights in somebody else's memory.
template <CellForm F>
struct WeightsElsewhere {
  using Form = F;
  using Elsewhere = WeightsElsewhere;
  using Scalar = typename F::Scalar;
  static constexpr Index kSize = WeightsSize(F::kWeights).full;
  static constexpr Index kBytes = kSize * static_cast<Index>(sizeof(Scalar));
  const Scalar* values;

  template <class Text>
  static constexpr void describe(Text& text) {
    F::describe(text);
  }
  /// Those of a header.
  template <class Header>
  static constexpr WeightsElsewhere of(const Header&) {
    static_assert(std::same_as<std::remove_cvref_t<decltype(Header::kValues[0])>, Scalar>,
                  "the weights have another scalar than the cells");
    static_assert(static_cast<Index>(std::size(Header::kValues)) == kSize + kSlack,
                  "the weights are not as many as the cells have: write the header again");
    return {Header::kValues};
  }

  MINRNN_INLINE constexpr const Scalar* data() const noexcept { return values; }
};
/// Weights in the cell itself.
template <CellForm F>
struct OwnWeights {
  using Elsewhere = WeightsElsewhere<F>;
  alignas(64) Array<typename F::Scalar, Elsewhere::kSize + kSlack> values{};

  MINRNN_INLINE constexpr typename F::Scalar* data() noexcept { return values.data(); }
  MINRNN_INLINE constexpr const typename F::Scalar* data() const noexcept { return values.data(); }
};

/// The state of a cell with one or two vectors of hidden features.
template <class S, Index features, Index count>
struct HiddenState;
template <class S, Index features>
struct HiddenState<S, features, 1> {
  Eigen::Matrix<S, features, 1> h = Eigen::Matrix<S, features, 1>::Zero();

  MINRNN_INLINE Array<S*, 1> pointers() { return {{h.data()}}; }
};
template <class S, Index features>
struct HiddenState<S, features, 2> {
  Eigen::Matrix<S, features, 1> h = Eigen::Matrix<S, features, 1>::Zero(), c = h;

  MINRNN_INLINE Array<S*, 2> pointers() { return {{h.data(), c.data()}}; }
};
/// The state of a cell that remembers nothing.
struct NoCellState {};

/// Whether a cell may be made of a `Layer`: it is of the kind, or it is an object of the user's that holds weights. A
/// layer has a Cache.
template <class Layer, class Kind>
constexpr bool is_of_kind() {
  return std::derived_from<Layer, Kind> || !requires { typename Layer::Cache; };
}

/// Of how many vectors the state of a form consists whose state is its hidden features; none for any other.
template <CellForm F>
constexpr std::size_t hidden_states() {
  if constexpr (requires { F::kStates; })
    return static_cast<std::size_t>(F::kStates);
  else
    return 0;
}

/// A cell: what its form computes, with weights that `Storage` holds.
template <class Storage>
class BasicCell : protected Storage {
  using F = typename Storage::Elsewhere::Form;

 public:
  using Form = F;
  using Elsewhere = typename Storage::Elsewhere;  // with the weights in somebody else's memory
  using Scalar = typename F::Scalar;
  using Input = Eigen::Matrix<Scalar, F::kInputs, 1>;
  using Output = Eigen::Matrix<Scalar, F::kOutputs, 1>;
  using State = typename F::State;

  static constexpr Index input_size() { return F::kInputs; }
  static constexpr Index output_size() { return F::kOutputs; }
  /// How many scalars the weights are, which lie one after the other, and these many behind them that a step may read.
  static constexpr Index weights_size() requires requires { Elsewhere::kSize; }
  { return Elsewhere::kSize; }
  static constexpr Index weights_slack() { return kSlack; }
  /// The memory of the weights, without what is behind them.
  static constexpr Index weights_bytes() { return Elsewhere::kBytes; }

  /// Where they are, for a `CellView`: a pointer to scalars, of a `QuantisedCell` a `NarrowPointer`.
  auto weights() const noexcept MINRNN_NONBLOCKING { return this->data(); }

  /// The state before the first frame: zero, or what the layer has learnt.
  State initial_state() const noexcept MINRNN_NONBLOCKING { return F::initial_state(this->data()); }
  void reset(State& state) const noexcept MINRNN_NONBLOCKING { state = F::initial_state(this->data()); }

  // None of these ever allocates, locks or throws.

  /// The state becomes that after x, and y the output, which must be another object than x.
  void step(const Input& x, State& state, Output& y) const noexcept MINRNN_NONBLOCKING {
    F::step(this->data(), x.data(), state, y.data());
  }
  /// The same; returns y.
  Output step(const Input& x, State& state) const noexcept MINRNN_NONBLOCKING {
    Output y;
    F::step(this->data(), x.data(), state, y.data());
    return y;
  }
  /// The same for one number in and one out.
  Scalar step(Scalar x, State& state) const noexcept MINRNN_NONBLOCKING requires(F::kInputs == 1 && F::kOutputs == 1) {
    Scalar y;
    F::step(this->data(), &x, state, &y);
    return y;
  }
  /// A cell whose output is its hidden state: h, and where there is one c, become those after x.
  template <std::same_as<Output>... States>
  requires(sizeof...(States) > 0 &&
           sizeof...(States) == hidden_states<F>()) void step(const Input& x,
                                                              States&... states) const noexcept MINRNN_NONBLOCKING {
    F::advance(this->data(), x.data(), {{states.data()...}}, nullptr);
  }

  /// Many frames, one behind the other, (In, frames) to (Out, frames): the same numbers, whatever the blocks that a
  /// stream is cut into. y may be x where input and output have the same size.
  void process(const Scalar* x, Scalar* y, Index frames, State& state) const noexcept MINRNN_NONBLOCKING {
    for (Index t = 0; t < frames; ++t) {
      alignas(64) Array<Scalar, F::kOutputs> y_t;
      F::step(this->data(), x + t * F::kInputs, state, y_t.data());
      for (Index i = 0; i < F::kOutputs; ++i) y[t * F::kOutputs + i] = y_t[i];
    }
  }

 protected:
  constexpr explicit BasicCell(const Storage& weights) : Storage(weights) {}
  BasicCell() = default;
};

/// A cell that holds its weights.
template <CellForm F, class Storage = OwnWeights<F>>
class OwningCell : public BasicCell<Storage> {
 public:
  /// From a trained layer of the same kind and sizes, or from any object that has its weights by the same names. Throws
  /// std::invalid_argument where sizes differ.
  template <class Layer>
  explicit OwningCell(const Layer& layer) {
    F::pack(layer, this->data());
  }
};

}  // namespace minrnn::detail
