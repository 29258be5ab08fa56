// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_ring.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

template <class S>
class Unfold;

namespace detail {

template <class S, Index features, Index kernel, Index dilation>
struct UnfoldForm {
  using Scalar = S;
  using Ring = FrameRing<S, features, kernel, dilation>;
  using State = typename Ring::State;
  static constexpr Index kInputs = features, kOutputs = kernel * features, kWeights = 0;
  static constexpr std::string_view kLayout = "nothing";

  template <class Layer>
  static void pack(const Layer& layer, S*) {
    static_assert(is_of_kind<Layer, Unfold<S>>(), "an UnfoldCell is made of an Unfold");
    check_that(layer.input_size() == features, "Unfold", "features of the layer", features, layer.input_size());
    check_that(layer.kernel_size() == kernel, "Unfold", "kernel of the layer", kernel, layer.kernel_size());
    check_that(layer.dilation() == dilation, "Unfold", "dilation of the layer", dilation, layer.dilation());
  }

  static State initial_state(const S*) noexcept { return {}; }

  static void step(const S*, const S* x, State& state, S* y) noexcept {
    for (Index j = 0; j < kernel; ++j) {
      const S* const seen = j + 1 < kernel ? Ring::seen(state, j) : x;
      for (Index i = 0; i < features; ++i) y[j * features + i] = seen[i];
    }
    Ring::push(state, x);
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    if constexpr (dilation == 1)
      text.add_call("Unfold", features, kernel);
    else
      text.add_call("Unfold", features, kernel, dilation);
  }
};

}  // namespace detail

/// Unfold, the last K frames as the features of one, a frame at a time, sizes known at compile time, no heap.
///
/// Equations   as layers/unfold.hpp, whose `step` gives the same bits
/// Shapes      x (F), y (K F); the state has the last (K - 1) D frames, D the dilation
/// Throws      std::invalid_argument for a layer of other sizes
template <class S, Index features, Index kernel, Index dilation = 1>
class UnfoldCell : public detail::OwningCell<detail::UnfoldForm<S, features, kernel, dilation>> {
  using Base = detail::OwningCell<detail::UnfoldForm<S, features, kernel, dilation>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
