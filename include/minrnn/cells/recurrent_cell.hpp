// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/gate_product.hpp"
#include "minrnn/cells/gated_cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/step_gates.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// One step of gates that see the whole state, with sizes known at compile time.
///
/// Equations   p = W_ih x + b_ih,  q = W_hh h + b_hh for each gate;  (h, c) = Gates(p, q, h, c), of which some gates
///             have no c
/// Shapes      x (In), h and c (Hidden); W_ih (G Hidden, In), W_hh (G Hidden, Hidden)
/// Weights     W_ih, b_ih, W_hh, b_hh
template <class S, Index In, Index Hidden, StepGates Gates>
struct RecurrentForm {
  using Scalar = S;
  static constexpr Index kGates = Gates::kCount, kStates = Gates::kHasCell ? 2 : 1;
  using State = HiddenState<S, Hidden, kStates>;
  using OfInput = GateProduct<S, In, Hidden, kGates>;
  using OfState = GateProduct<S, Hidden, Hidden, kGates>;
  static constexpr Index kInputs = In, kOutputs = Hidden;
  static constexpr WeightsSize kWeights = OfInput::kWeights + OfState::kWeights;
  static constexpr std::string_view kLayout = "W_ih, b_ih, W_hh, b_hh";

  /// From a layer, or from any object with its weight_ih() (G Hidden, In), weight_hh() (G Hidden, Hidden), bias_ih()
  /// and bias_hh() (G Hidden).
  template <class Layer>
  static void pack(const Layer& layer, auto weights) {
    static_assert(computes_the_same<Gates, Layer>(),
                  "the layer computes something else than this cell: make a cell of its kind");
    check_matrix(Gates::kName, "weight_ih of the layer", layer.weight_ih(), kGates * Hidden, In);
    check_matrix(Gates::kName, "weight_hh of the layer", layer.weight_hh(), kGates * Hidden, Hidden);
    check_matrix(Gates::kName, "bias_ih of the layer", layer.bias_ih(), kGates * Hidden, 1);
    check_matrix(Gates::kName, "bias_hh of the layer", layer.bias_hh(), kGates * Hidden, 1);
    for (Index gate = 0; gate < kGates; ++gate) {
      OfInput::pack(gate, layer.weight_ih(), layer.bias_ih(), gate * Hidden, weights);
      OfState::pack(gate, layer.weight_hh(), layer.bias_hh(), gate * Hidden, weights + OfInput::kWeights);
    }
  }

  static State initial_state(const S*) noexcept { return {}; }

  /// y may be null.
  MINRNN_INLINE static void advance(auto weights, const S* x, const Array<S*, kStates>& states, S* y) noexcept {
    alignas(64) Array<S, OfInput::kRows> p, q;
    OfInput::run(weights, x, p.data());
    OfState::run(weights + OfInput::kWeights, states[0], q.data());
    OfInput::for_channels([&](auto lanes) MINRNN_INLINE_LAMBDA {
      const auto step = Gates::forward(OfInput::of_gates(lanes, p.data()), OfState::of_gates(lanes, q.data()),
                                       lanes.load(states[kStates - 1]));
      lanes.store(states[0], step.h);
      if constexpr (Gates::kHasCell) lanes.store(states[1], step.c);
      if (y != nullptr) lanes.store(y, step.h);
    });
  }
  static void step(auto weights, const S* x, State& state, S* y) noexcept { advance(weights, x, state.pointers(), y); }

  template <class Text>
  static constexpr void describe(Text& text) {
    describe_gates<Gates>(text, In, Hidden);
  }
};

template <class S, Index In, Index Hidden, StepGates Gates>
using RecurrentCell = OwningCell<RecurrentForm<S, In, Hidden, Gates>>;

}  // namespace minrnn::detail
