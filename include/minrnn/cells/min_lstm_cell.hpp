// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/minimal_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/min_lstm.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// minLSTM one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/min_lstm.hpp, whose `step` gives the same answers
/// Shapes      x (In), h (Hidden); h = 0 before the first step, or the layer's learnt initial state
/// Use         MinLstmCell<float, 1, 16> cell(trained_layer);  cell.step(x, h);
template <class S, Index In, Index Hidden, GateScaling scaling = GateScaling::normalised,
          Candidate candidate = Candidate::positive, Decay decay = Decay::positive>
class MinLstmCell
    : public detail::MinimalCell<S, In, Hidden, detail::MinLstmGates<scaling, candidate, Arithmetic::linear, decay>> {
  using Base = detail::MinimalCell<S, In, Hidden, detail::MinLstmGates<scaling, candidate, Arithmetic::linear, decay>>;

 public:
  using Base::Base;
};

/// Of SignedMinLstm.
template <class S, Index In, Index Hidden, GateScaling scaling = GateScaling::normalised>
using SignedMinLstmCell = MinLstmCell<S, In, Hidden, scaling, Candidate::plain, Decay::flip>;

}  // namespace minrnn
