// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_wise_form.hpp"
#include "minrnn/cells/gate_product.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/exact_gelu.hpp"

namespace minrnn {

template <class S>
class Mlp;

namespace detail {

/// Weights     W_in, b_in, W_out, b_out
template <class S, Index features, Index inner, bool gated, GeluForm gelu_form>
struct PerceptronForm : FrameWiseForm<S, features, features> {
  static constexpr Index kHalves = gated ? 2 : 1;  // u, or u and v
  using In = GateProduct<S, features, inner, kHalves>;
  using Out = LinearForm<S, inner, features>;
  static constexpr WeightsSize kWeights = In::kWeights + Out::kWeights;
  static constexpr std::string_view kLayout = "W_in, b_in, W_out, b_out";

  template <class Layer>
  static void pack(const Layer& layer, auto weights) {
    static_assert(is_of_kind<Layer, Mlp<S>>(), "an MlpCell is made of an Mlp");
    check_matrix("Mlp", "weight_in of the layer", layer.weight_in(), kHalves * inner, features);
    check_matrix("Mlp", "weight_out of the layer", layer.weight_out(), features, inner);
    check_matrix("Mlp", "bias_in of the layer", layer.bias_in(), kHalves * inner, 1);
    check_matrix("Mlp", "bias_out of the layer", layer.bias_out(), features, 1);
    constexpr bool exact = gelu_form == GeluForm::exact;
    check_that(layer.gelu_form() == gelu_form, "Mlp", "GELU of the layer",
               exact ? "that of the cell, the exact one" : "that of the cell, by tanh",
               exact ? "by tanh" : "the exact one");
    for (Index half = 0; half < kHalves; ++half)
      In::pack(half, layer.weight_in(), layer.bias_in(), half * inner, weights);
    Out::Product::pack(0, layer.weight_out(), layer.bias_out(), 0, weights + In::kWeights);
  }

  static void step(auto weights, const S* x, NoCellState& state, S* y) noexcept {
    alignas(64) Array<S, In::kRows> u;
    alignas(64) Array<S, inner> a;
    In::run(weights, x, u.data());
    In::for_channels([&](auto lanes) MINRNN_INLINE_LAMBDA {
      const auto u_and_v = In::of_gates(lanes, u.data());
      const auto value = gelu_of(u_and_v[0]);
      if constexpr (gated)
        lanes.store(a.data(), value * u_and_v[1]);
      else
        lanes.store(a.data(), value);
    });
    Out::step(weights + In::kWeights, a.data(), state, y);
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    if constexpr (gelu_form == GeluForm::exact) text.add("Exact");
    text.add_call(gated ? "GatedMlp" : "Mlp", features, inner);
  }

 private:
  template <class P>
  MINRNN_INLINE static P gelu_of(P u) {
    if constexpr (gelu_form == GeluForm::exact)
      return exact_gelu(u).value;
    else
      return gelu(u).value;
  }
};

}  // namespace detail

/// Mlp with GELU one frame at a time, sizes known at compile time, no heap.
///
/// Equations   as layers/mlp.hpp, whose `step` gives the same bits
/// Shapes      x, y (F); D = inner
/// Throws      std::invalid_argument for a layer of other sizes or of the other GELU
template <class S, Index features, Index inner, GeluForm gelu = GeluForm::tanh>
class MlpCell : public detail::OwningCell<detail::PerceptronForm<S, features, inner, false, gelu>> {
  using Base = detail::OwningCell<detail::PerceptronForm<S, features, inner, false, gelu>>;

 public:
  using Base::Base;
};

/// The same of an Mlp in its gated form.
template <class S, Index features, Index inner, GeluForm gelu = GeluForm::tanh>
class GatedMlpCell : public detail::OwningCell<detail::PerceptronForm<S, features, inner, true, gelu>> {
  using Base = detail::OwningCell<detail::PerceptronForm<S, features, inner, true, gelu>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
