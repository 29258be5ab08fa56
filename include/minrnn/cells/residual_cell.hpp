// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"

namespace minrnn {

namespace detail {

/// Weights     those of the inner form
template <class Inner>
struct ResidualForm {
  static_assert(
      CellForm<Inner>,
      "a QuantisedCell stands in no other cell: quantise what is around it, QuantisedCell<ResidualCell<...>>");
  static_assert(Inner::kInputs == Inner::kOutputs, "what stands in a ResidualCell has as many features out as in");
  using Scalar = typename Inner::Scalar;
  using State = typename Inner::State;
  static constexpr Index kInputs = Inner::kInputs, kOutputs = kInputs;
  static constexpr WeightsSize kWeights = Inner::kWeights;
  static constexpr std::string_view kLayout = Inner::kLayout;

  template <class Layer>
  static void pack(const Layer& layer, auto weights) {
    static_assert(
        requires { layer.inner(); }, "a ResidualCell is made of a Residual");
    Inner::pack(layer.inner(), weights);
  }

  static State initial_state(auto weights) noexcept { return Inner::initial_state(weights); }

  static void step(auto weights, const Scalar* x, State& state, Scalar* y) noexcept {
    Inner::step(weights, x, state, y);
    const Row<const Scalar> x_t(x);
    const Row<Scalar> y_t(y);
    for_lanes<Scalar>(kOutputs, [&](auto i) MINRNN_INLINE_LAMBDA { y_t[i] += x_t[i]; });
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add("Residual ");
    Inner::describe(text);
  }
};

}  // namespace detail

/// y = x + inner(x), as compose/residual.hpp, around a cell or a `CellChain`; the same bits as the layer's `step`.
template <class Inner>
class ResidualCell : public detail::OwningCell<detail::ResidualForm<typename Inner::Form>> {
  using Base = detail::OwningCell<detail::ResidualForm<typename Inner::Form>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
