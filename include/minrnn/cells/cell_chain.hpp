// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

namespace detail {

/// Whether each of the forms takes as many features as the one before it gives.
template <class Last>
constexpr bool neighbours_fit() {
  return true;
}
template <class First, class Second, class... Rest>
constexpr bool neighbours_fit() {
  return First::kOutputs == Second::kInputs && neighbours_fit<Second, Rest...>();
}

/// How many the weights of the first forms are, each filled up.
template <class... Forms>
constexpr WeightsSize weights_of_first(std::size_t count) {
  WeightsSize sum;
  std::size_t i = 0;
  ((sum = i++ < count ? sum + WeightsSize(Forms::kWeights).aligned() : sum), ...);
  return sum;
}

/// Weights     those of the forms, each filled up to where the next ones begin
template <class... Forms>
struct ChainForm {
  static_assert(
      (CellForm<Forms> && ...),
      "a QuantisedCell stands in no other cell: quantise the whole chain, QuantisedCell<CellChain<...>, format>");
  static constexpr std::size_t kCount = sizeof...(Forms);
  static_assert(kCount >= 1, "a CellChain has at least one cell");
  template <std::size_t i>
  using Form = std::tuple_element_t<i, std::tuple<Forms...>>;
  using Scalar = typename Form<0>::Scalar;
  static_assert((std::same_as<Scalar, typename Forms::Scalar> && ...), "the cells of a CellChain have one scalar");
  using State = std::tuple<typename Forms::State...>;

  static_assert(neighbours_fit<Forms...>(),
                "each cell of a CellChain takes as many features as the one before it gives");

  static constexpr Index kInputs = Form<0>::kInputs, kOutputs = Form<kCount - 1>::kOutputs;
  static constexpr std::string_view kLayout = "the weights of its cells";
  /// Where the weights of form i begin.
  static constexpr WeightsSize offset(std::size_t i) { return weights_of_first<Forms...>(i); }
  static constexpr WeightsSize kWeights = weights_of_first<Forms...>(kCount);

  /// Calls body(i) for form after form.
  template <class Body>
  static constexpr void for_each(Body&& body) {
    [&]<std::size_t... i>(std::index_sequence<i...>) { (body(std::integral_constant<std::size_t, i>{}), ...); }
    (std::make_index_sequence<kCount>{});
  }

  /// From a `Sequential` of as many layers. What fails says by its number of which of them.
  template <class Layers>
  static void pack(const Layers& layers, auto weights) {
    static_assert(Layers::layer_count() == kCount,
                  "a CellChain is made of a Sequential of as many layers as it has cells");
    for_each([&](auto i) {
      in_part(static_cast<Index>(i), [&] { Form<i>::pack(layers.template layer<i>(), weights + offset(i)); });
    });
  }

  static State initial_state(auto weights) noexcept {
    State state;
    for_each([&](auto i) { std::get<i>(state) = Form<i>::initial_state(weights + offset(i)); });
    return state;
  }

  static void step(auto weights, const Scalar* x, State& state, Scalar* y) noexcept {
    step_from<0>(weights, x, state, y);
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add('(');
    for_each([&](auto i) {
      if (i > 0) text.add(", ");
      Form<i>::describe(text);
    });
    text.add(')');
  }

 private:
  /// The steps of form i and of those behind it.
  template <std::size_t i>
  static void step_from(auto weights, const Scalar* x, State& state, Scalar* y) noexcept {
    constexpr WeightsSize at = offset(i);
    if constexpr (i + 1 == kCount) {
      Form<i>::step(weights + at, x, std::get<i>(state), y);
    } else {
      alignas(64) Array<Scalar, Form<i>::kOutputs> y_i;
      Form<i>::step(weights + at, x, std::get<i>(state), y_i.data());
      step_from<i + 1>(weights, y_i.data(), state, y);
    }
  }
};

}  // namespace detail

/// A whole model of cells one after the other, one frame at a time: sizes known at compile time, no heap, no exceptions
/// and no type information at run time.
///
///   Sequential net{MinGru<float>(1, 16, random.stream(0)), Residual(MinGru<float>(16, 16, random.stream(1))),
///                  Linear<float>(16, 1, random.stream(2))};  // and trained
///   using Model = CellChain<MinGruCell<float, 1, 16>, ResidualCell<MinGruCell<float, 16, 16>>,
///                           LinearCell<float, 16, 1>>;
///   const Model model(net);                       // its weights, or an error that says where they do not fit
///   Model::State state = model.initial_state();   // of one stream; a copy is a second future
///   const float y = model.step(x, state);         // or model.process(x, y, frames, state) for a block
///
/// Equations   those of its cells; the same bits as `step` of the `Sequential`, whatever the blocks
/// Shapes      x (In of the first cell), y (Out of the last)
/// Memory      the weights, in one piece, in the model; the state where the caller puts it. `CellView<Model>` has its
///             weights elsewhere, in read-only memory for instance: cells/weights_header.hpp
/// Throws      std::invalid_argument where sizes differ from those of the layers, with the number of the layer. Another
///             kind or number of layers does not compile
template <class... Cells>
class CellChain : public detail::OwningCell<detail::ChainForm<typename Cells::Form...>> {
  using Base = detail::OwningCell<detail::ChainForm<typename Cells::Form...>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
