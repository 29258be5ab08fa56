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
#include "minrnn/math/root_mean_square.hpp"

namespace minrnn {

template <class S>
class RmsNorm;

namespace detail {

/// Weights     gain (F), epsilon
template <class S, Index features>
struct RmsNormForm : FrameWiseForm<S, features, features> {
  static_assert(features >= 1, "an RmsNormCell has at least one feature");
  static constexpr Index kWeights = features + 1;
  static constexpr std::string_view kLayout = "gain, epsilon";

  template <class Layer>
  static void pack(const Layer& layer, S* weights) {
    static_assert(is_of_kind<Layer, RmsNorm<S>>(), "an RmsNormCell is made of an RmsNorm");
    check_matrix("RmsNorm", "gain of the layer", layer.gain(), features, 1);
    for (Index i = 0; i < features; ++i) weights[i] = layer.gain()(i, 0);
    weights[features] = layer.epsilon();
  }

  static void step(const S* weights, const S* x, NoCellState&, S* y) noexcept {
    const Row<const S> x_t(x), gain(weights);
    const Row<S> y_t(y);
    const S r = reciprocal_root_mean_square(x_t, features, weights[features]);
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA { y_t[i] = gain[i] * (x_t[i] * r); });
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add_call("RmsNorm", features);
  }
};

}  // namespace detail

/// RmsNorm one frame at a time, size known at compile time, no heap.
///
/// Equations   as layers/rms_norm.hpp, whose `step` gives the same bits
/// Shapes      x, y (F)
template <class S, Index features>
class RmsNormCell : public detail::OwningCell<detail::RmsNormForm<S, features>> {
  using Base = detail::OwningCell<detail::RmsNormForm<S, features>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
