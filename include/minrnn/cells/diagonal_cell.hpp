// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/gated_cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal_gates.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// One step of gates that see the state through diagonal weights, with sizes known at compile time.
///
/// Equations   k = W x + b for each gate;  (h, c) = Gates(k, h, c), of which some gates have no c
/// Shapes      x (In), h and c (Hidden); W (G Hidden, In), diagonal weights (Hidden)
/// Weights     those of the gates
template <class S, Index In, Index Hidden, DiagonalGates Gates>
struct DiagonalForm : GatedForm<S, In, Hidden, Gates> {
  using Base = GatedForm<S, In, Hidden, Gates>;
  static constexpr Index kStates = Gates::kStates;
  static constexpr WeightsSize kWeights = Base::kGatedWeights;
  static constexpr std::string_view kLayout = "W, b, diagonal weights";
  using State = HiddenState<S, Hidden, kStates>;

  static State initial_state(const S*) noexcept { return {}; }

  /// y may be null.
  MINRNN_INLINE static void advance(auto weights, const S* x, const Array<S*, kStates>& states, S* y) noexcept {
    Base::for_gates(weights, x, [&](auto lanes, const auto& k, const auto& diagonal) MINRNN_INLINE_LAMBDA {
      using P = typename decltype(lanes)::P;
      Array<P, kStates> before;
      unroll<int{kStates}>([&](auto i) MINRNN_INLINE_LAMBDA { before[i] = lanes.load(states[i]); });
      const auto after = Gates::forward(k, before, diagonal);
      unroll<int{kStates}>([&](auto i) MINRNN_INLINE_LAMBDA { lanes.store(states[i], after.state[i]); });
      if (y != nullptr) lanes.store(y, after.state[0]);
    });
  }
  static void step(auto weights, const S* x, State& state, S* y) noexcept { advance(weights, x, state.pointers(), y); }
};

template <class S, Index In, Index Hidden, DiagonalGates Gates>
using DiagonalCell = OwningCell<DiagonalForm<S, In, Hidden, Gates>>;

}  // namespace minrnn::detail
