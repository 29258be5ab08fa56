// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn {

template <class S>
class Conv1d;

namespace detail {

/// Weights     w (F, K), column after column, the last one for the present frame; b (F)
template <class S, Index features, Index kernel>
struct Conv1dForm {
  static_assert(features >= 1 && kernel >= 1, "a Conv1dCell has at least one feature and one tap");
  using Scalar = S;
  struct State {
    // The frames before the next one, oldest first, as in the layer.
    Eigen::Matrix<S, features*(kernel - 1), 1> tail = Eigen::Matrix<S, features*(kernel - 1), 1>::Zero();
  };
  static constexpr Index kInputs = features, kOutputs = features, kBiasAt = features * kernel;
  static constexpr Index kWeights = kBiasAt + features;
  static constexpr std::string_view kLayout = "w, b";

  template <class Layer>
  static void pack(const Layer& layer, S* weights) {
    static_assert(is_of_kind<Layer, Conv1d<S>>(), "a Conv1dCell is made of a Conv1d");
    check_matrix("Conv1d", "weight of the layer", layer.weight(), features, kernel);
    check_matrix("Conv1d", "bias of the layer", layer.bias(), features, 1);
    for (Index f = 0; f < features; ++f) {
      for (Index j = 0; j < kernel; ++j) weights[j * features + f] = layer.weight()(f, j);
      weights[kBiasAt + f] = layer.bias()(f, 0);
    }
  }

  static State initial_state(const S*) noexcept { return {}; }

  static void step(const S* weights, const S* x, State& state, S* y) noexcept {
    S* const tail = state.tail.data();
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA {
      Packet<S> sum = i.load(weights + kBiasAt);
      for (Index j = 0; j < kernel - 1; ++j)
        sum = fma(i.load(weights + j * features), i.load(tail + j * features), sum);
      i.store(y, fma(i.load(weights + (kernel - 1) * features), i.load(x), sum));
    });
    if constexpr (kernel > 1) {
      constexpr Index kept = features * (kernel - 2);
      for (Index i = 0; i < kept; ++i) tail[i] = tail[i + features];
      for (Index i = 0; i < features; ++i) tail[kept + i] = x[i];
    }
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    text.add_call("Conv1d", features, kernel);
  }
};

}  // namespace detail

/// Conv1d, the causal depthwise convolution, one frame at a time, sizes known at compile time, no heap.
///
/// Equations   as layers/conv1d.hpp, whose `step` gives the same bits
/// Shapes      x, y (F); the state has the last K - 1 frames
template <class S, Index features, Index kernel>
class Conv1dCell : public detail::OwningCell<detail::Conv1dForm<S, features, kernel>> {
  using Base = detail::OwningCell<detail::Conv1dForm<S, features, kernel>>;

 public:
  using Base::Base;
};

}  // namespace minrnn
