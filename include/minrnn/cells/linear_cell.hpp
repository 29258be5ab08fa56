// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_wise_form.hpp"
#include "minrnn/cells/gate_product.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

template <class S>
class Linear;

namespace detail {

/// Weights     W and b as `GateProduct` has them; b is zero where the layer has none
template <class S, Index In, Index Out>
struct LinearForm : FrameWiseForm<S, In, Out> {
  using Product = GateProduct<S, In, Out, 1>;
  static constexpr WeightsSize kWeights = Product::kWeights;
  static constexpr std::string_view kLayout = "W, b";

  template <class Layer>
  static void pack(const Layer& layer, auto weights) {
    static_assert(is_of_kind<Layer, Linear<S>>(), "a LinearCell is made of a Linear");
    check_matrix("Linear", "weight of the layer", layer.weight(), Out, In);
    if (layer.bias().size() == 0) return Product::pack(0, layer.weight(), Eigen::Matrix<S, Out, 1>::Zero(), 0, weights);
    check_matrix("Linear", "bias of the layer", layer.bias(), Out, 1);
    Product::pack(0, layer.weight(), layer.bias(), 0, weights);
  }

  static void step(auto weights, const S* x, NoCellState&, S* y) noexcept {
    if constexpr (Product::kPadded == Out) {
      Product::run(weights, x, y);
    } else {
      alignas(64) Array<S, Product::kRows> k;
      Product::run(weights, x, k.data());
      for (Index i = 0; i < Out; ++i) y[i] = k[i];
    }
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add_call("Linear", In, Out);
  }
};

}  // namespace detail

/// Linear one frame at a time, sizes known at compile time, no heap.
///
/// Equations   as layers/linear.hpp, whose `step` gives the same bits
/// Shapes      x (In), y (Out)
template <class S, Index In, Index Out>
class LinearCell : public detail::OwningCell<detail::LinearForm<S, In, Out>> {
  using Base = detail::OwningCell<detail::LinearForm<S, In, Out>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
