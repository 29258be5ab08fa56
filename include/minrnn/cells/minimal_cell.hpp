// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/gated_cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// One step of gates that see only the input, with sizes known at compile time.
///
/// Equations   k = W x + b for each gate;  h = decay h + input, both from k by Gates
/// Shapes      x (In), h (Hidden); W (G Hidden, In); h_0 (Hidden)
/// Weights     those of the gates, then h_0
template <class S, Index In, Index Hidden, ScanGates Gates>
struct MinimalForm : GatedForm<S, In, Hidden, Gates> {
  using Base = GatedForm<S, In, Hidden, Gates>;
  using State = HiddenState<S, Hidden, 1>;
  static constexpr Index kStates = 1;
  static constexpr WeightsSize kInitialAt = Base::kGatedWeights, kWeights = kInitialAt + Hidden;
  static constexpr std::string_view kLayout = "W, b, diagonal weights where there are any, h_0";

  template <class Layer>
  static void pack(const Layer& layer, auto weights) {
    Base::pack(layer, weights);
    S* const h_0 = weights + kInitialAt;
    if constexpr (requires { layer.write_initial_state(Row<S>(h_0)); })
      layer.write_initial_state(Row<S>(h_0));
    else
      for (Index i = 0; i < Hidden; ++i) h_0[i] = 0;
  }

  static State initial_state(auto weights) noexcept {
    State state;
    for (Index i = 0; i < Hidden; ++i) state.h[i] = (weights + kInitialAt)[i];
    return state;
  }

  /// y may be null.
  MINRNN_INLINE static void advance(auto weights, const S* x, const Array<S*, 1>& states, S* y) noexcept {
    S* const h = states[0];
    Base::for_gates(weights, x, [&](auto lanes, const auto& k, const auto& diagonal) MINRNN_INLINE_LAMBDA {
      const auto step = Gates::forward(k, Gates::prepare(diagonal));
      const auto h_t = fma(step.decay, lanes.load(h), step.input);
      lanes.store(h, h_t);
      if (y != nullptr) lanes.store(y, h_t);
    });
  }
  static void step(auto weights, const S* x, State& state, S* y) noexcept { advance(weights, x, state.pointers(), y); }
};

template <class S, Index In, Index Hidden, ScanGates Gates>
using MinimalCell = OwningCell<MinimalForm<S, In, Hidden, Gates>>;

}  // namespace minrnn::detail
