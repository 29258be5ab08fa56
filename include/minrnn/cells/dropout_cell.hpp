// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_wise_form.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

template <class S>
class Dropout;

namespace detail {

template <class S, Index features>
struct DropoutForm : FrameWiseForm<S, features, features> {
  static_assert(features >= 1, "a DropoutCell has at least one feature");
  static constexpr Index kWeights = 0;
  static constexpr std::string_view kLayout = "nothing";

  template <class Layer>
  static void pack(const Layer& layer, S*) {
    static_assert(is_of_kind<Layer, Dropout<S>>(), "a DropoutCell is made of a Dropout");
    check_that(layer.input_size() == features, "Dropout", "features of the layer", features, layer.input_size());
  }

  static void step(const S*, const S* x, NoCellState&, S* y) noexcept {
    for (Index i = 0; i < features; ++i) y[i] = x[i];
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add_call("Dropout", features);
  }
};

}  // namespace detail

/// Dropout in a chain of cells, where it is the identity: y = x (F). It is there so that a chain has a cell for each
/// layer of a model.
template <class S, Index features>
class DropoutCell : public detail::OwningCell<detail::DropoutForm<S, features>> {
  using Base = detail::OwningCell<detail::DropoutForm<S, features>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
