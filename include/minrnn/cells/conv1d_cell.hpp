// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <type_traits>

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
template <class S, Index features, Index kernel, Index dilation>
struct Conv1dForm {
  static_assert(features >= 1 && kernel >= 1, "a Conv1dCell has at least one feature and one tap");
  static_assert(dilation >= 1, "a Conv1dCell has a dilation of at least one frame");
  using Scalar = S;
  static constexpr Index kSpan = (kernel - 1) * dilation;
  static constexpr bool kIsRing = dilation > 1 && kernel > 1;
  struct Tail {
    // The frames before the next one, oldest first, as in the layer.
    Eigen::Matrix<S, features * kSpan, 1> tail = Eigen::Matrix<S, features * kSpan, 1>::Zero();
  };
  struct Ring : Tail {
    Index oldest = 0;  // where the oldest frame of the tail stands; from there on they are in order, around its end
  };
  using State = std::conditional_t<kIsRing, Ring, Tail>;
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
    S* const tail = state.tail.data();
    Array<const S*, kernel> seen;  // by each tap
    for (Index j = 0; j < kernel - 1; ++j) seen[j] = tail + features * place(state, j);
    seen[kernel - 1] = x;
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA {
      Packet<S> sum = i.load(weights + kBiasAt);
      for (Index j = 0; j < kernel; ++j) sum = fma(i.load(weights + j * features), i.load(seen[j]), sum);
      i.store(y, sum);
    });
    if constexpr (kIsRing) {
      for (Index i = 0; i < features; ++i) tail[features * state.oldest + i] = x[i];
      state.oldest = state.oldest + 1 == kSpan ? 0 : state.oldest + 1;
    } else if constexpr (kernel > 1) {
      constexpr Index kept = features * (kernel - 2);
      for (Index i = 0; i < kept; ++i) tail[i] = tail[i + features];
      for (Index i = 0; i < features; ++i) tail[kept + i] = x[i];
    }
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    if constexpr (dilation == 1)
      text.add_call("Conv1d", features, kernel);
    else
      text.add_call("Conv1d", features, kernel, dilation);
  }

 private:
  /// Where the frame of tap j stands in the tail.
  static Index place(const State& state, Index j) {
    if constexpr (kIsRing) {
      const Index at = state.oldest + j * dilation;
      return at < kSpan ? at : at - kSpan;
    } else {
      return j;
    }
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
