// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_wise_form.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/math/activation_function.hpp"

namespace minrnn {

template <class S>
class Activation;

namespace detail {

template <class S, Index features, ActivationFunction function>
struct ActivationForm : FrameWiseForm<S, features, features> {
  static_assert(features >= 1, "an ActivationCell has at least one feature");
  static constexpr Index kWeights = 0;
  static constexpr std::string_view kLayout = "nothing";

  template <class Layer>
  static void pack(const Layer& layer, S*) {
    static_assert(is_of_kind<Layer, Activation<S>>(), "an ActivationCell is made of an Activation");
    check_that(layer.input_size() == features, "Activation", "features of the layer", features, layer.input_size());
    check_that(layer.function() == function, "Activation", "function of the layer", name_of(function),
               name_of(layer.function()));
  }

  static void step(const S*, const S* x, NoCellState&, S* y) noexcept {
    activate<function>(Row<const S>(x), features, Row<S>(y));
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add(name_of(function));
    text.add_call(" Activation", features);
  }
};

}  // namespace detail

/// Activation one frame at a time, size known at compile time, no heap.
///
/// Equations   as layers/activation.hpp, whose `step` gives the same bits
/// Shapes      x, y (F)
/// Throws      std::invalid_argument for a layer of another size or another function
template <class S, Index features, ActivationFunction function>
class ActivationCell : public detail::OwningCell<detail::ActivationForm<S, features, function>> {
  using Base = detail::OwningCell<detail::ActivationForm<S, features, function>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
