// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "minrnn/cells/gated_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal_gates.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// One step of gates that see the state through diagonal weights, with sizes known at compile time.
///
/// Equations   k = W x + b for each gate;  (h, c) = Gates(k, h, c), of which some gates have no c
/// Shapes      x (In), h and c (Hidden); W (G Hidden, In), diagonal weights (Hidden)
template <class S, Index In, Index Hidden, DiagonalGates Gates>
class DiagonalCell : public GatedCell<S, In, Hidden, Gates> {
  using Base = GatedCell<S, In, Hidden, Gates>;

 public:
  using Base::Base;
  using typename Base::Input, typename Base::Output;

  /// The states, h and where there is one c, become those after x. Never allocates, locks or throws.
  template <std::same_as<Output>... States>
  requires(sizeof...(States) == Gates::kStates) void step(const Input& x, States&... states) const noexcept {
    this->for_gates(x, [&](auto lanes, const auto& k, const auto& diagonal) MINRNN_INLINE_LAMBDA {
      using P = typename decltype(lanes)::P;
      const auto after = Gates::forward(k, Array<P, Gates::kStates>{{lanes.load(states.data())...}}, diagonal);
      Index n = 0;
      (lanes.store(states.data(), after.state[n++]), ...);
    });
  }
};

}  // namespace minrnn::detail
