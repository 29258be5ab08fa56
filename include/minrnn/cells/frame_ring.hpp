// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// The frames that a cell of K taps, D frames from each to the next, still sees: (K - 1) D of them.
template <class S, Index features, Index kernel, Index dilation>
struct FrameRing {
  static_assert(features >= 1 && kernel >= 1, "a convolution has at least one feature and one tap");
  static_assert(dilation >= 1, "a convolution has a dilation of at least one frame");
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

  /// The frame that tap j < K - 1 sees, the oldest first.
  static const S* seen(const State& state, Index j) noexcept { return state.tail.data() + features * place(state, j); }

  /// The frame x becomes the last of them.
  static void push(State& state, const S* x) noexcept {
    S* const tail = state.tail.data();
    if constexpr (kIsRing) {
      for (Index i = 0; i < features; ++i) tail[features * state.oldest + i] = x[i];
      state.oldest = state.oldest + 1 == kSpan ? 0 : state.oldest + 1;
    } else if constexpr (kernel > 1) {
      constexpr Index kept = features * (kernel - 2);
      for (Index i = 0; i < kept; ++i) tail[i] = tail[i + features];
      for (Index i = 0; i < features; ++i) tail[kept + i] = x[i];
    }
  }

 private:
  /// Where the frame of tap j stands in the tail.
  static Index place(const State& state, Index j) noexcept {
    if constexpr (kIsRing) {
      const Index at = state.oldest + j * dilation;
      return at < kSpan ? at : at - kSpan;
    } else {
      return j;
    }
  }
};

}  // namespace minrnn::detail
