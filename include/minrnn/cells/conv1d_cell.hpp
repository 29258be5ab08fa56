// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/frame_ring.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn {

template <class S>
class Conv1d;

namespace detail {

/// Weights     w (F, K), column after column, the last one for the present frame; b (F)
template <class S, Index features, Index kernel, Index dilation>
struct Conv1dForm {
  using Scalar = S;
  using Ring = FrameRing<S, features, kernel, dilation>;
  using State = typename Ring::State;
  static constexpr Index kInputs = features, kOutputs = features, kBiasAt = features * kernel;
  static constexpr Index kWeights = kBiasAt + features;
  static constexpr std::string_view kLayout = "w, b";

  template <class Layer>
  static void pack(const Layer& layer, S* weights) {
    static_assert(is_of_kind<Layer, Conv1d<S>>(), "a Conv1dCell is made of a Conv1d");
    check_matrix("Conv1d", "weight of the layer", layer.weight(), features, kernel);
    check_matrix("Conv1d", "bias of the layer", layer.bias(), features, 1);
    if constexpr (requires { layer.dilation(); })
      check_that(layer.dilation() == dilation, "Conv1d", "dilation of the layer", dilation, layer.dilation());
    for (Index f = 0; f < features; ++f) {
      for (Index j = 0; j < kernel; ++j) weights[j * features + f] = layer.weight()(f, j);
      weights[kBiasAt + f] = layer.bias()(f, 0);
    }
  }

  static State initial_state(const S*) noexcept { return {}; }

  static void step(const S* weights, const S* x, State& state, S* y) noexcept {
    Array<const S*, kernel> seen;  // by each tap
    for (Index j = 0; j < kernel - 1; ++j) seen[j] = Ring::seen(state, j);
    seen[kernel - 1] = x;
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA {
      Packet<S> sum = i.load(weights + kBiasAt);
      for (Index j = 0; j < kernel; ++j) sum = fma(i.load(weights + j * features), i.load(seen[j]), sum);
      i.store(y, sum);
    });
    Ring::push(state, x);
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    if constexpr (dilation == 1)
      text.add_call("Conv1d", features, kernel);
    else
      text.add_call("Conv1d", features, kernel, dilation);
  }
};

}  // namespace detail

/// Conv1d, the causal depthwise convolution, one frame at a time, sizes known at compile time, no heap.
///
/// Equations   as layers/conv1d.hpp, whose `step` gives the same bits
/// Shapes      x, y (F); the state has the last (K - 1) D frames, D the dilation
template <class S, Index features, Index kernel, Index dilation = 1>
class Conv1dCell : public detail::OwningCell<detail::Conv1dForm<S, features, kernel, dilation>> {
  using Base = detail::OwningCell<detail::Conv1dForm<S, features, kernel, dilation>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
