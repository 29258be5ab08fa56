// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_wise_form.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

template <class S>
class Prelu;

namespace detail {

/// Weights     alpha (F)
template <class S, Index features>
struct PreluForm : FrameWiseForm<S, features, features> {
  static_assert(features >= 1, "a PreluCell has at least one feature");
  static constexpr Index kWeights = features;
  static constexpr std::string_view kLayout = "alpha";

  template <class Layer>
  static void pack(const Layer& layer, S* weights) {
    static_assert(is_of_kind<Layer, Prelu<S>>(), "a PreluCell is made of a Prelu");
    check_matrix("Prelu", "alpha of the layer", layer.alpha(), features, 1);
    for (Index i = 0; i < features; ++i) weights[i] = layer.alpha()(i, 0);
  }

  static void step(const S* weights, const S* x, NoCellState&, S* y) noexcept {
    const Row<const S> x_t(x), alpha(weights);
    const Row<S> y_t(y);
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA { y_t[i] = prelu(x_t[i], alpha[i]); });
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add_call("Prelu", features);
  }
};

}  // namespace detail

/// Prelu one frame at a time, size known at compile time, no heap.
///
/// Equations   as layers/prelu.hpp, whose `step` gives the same bits
/// Shapes      x, y (F)
/// Throws      std::invalid_argument for a layer of another size
template <class S, Index features>
class PreluCell : public detail::OwningCell<detail::PreluForm<S, features>> {
  using Base = detail::OwningCell<detail::PreluForm<S, features>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
