// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/minimal_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/candidate.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/gates/min_gru.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn {

/// minGRU one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/min_gru.hpp, whose `step` gives the same answers
/// Shapes      x (In), h (Hidden); h = 0 before the first step, or the layer's learnt initial state
/// Use         MinGruCell<float, 1, 16> cell(trained_layer);  cell.step(x, h);
template <class S, Index In, Index Hidden, Candidate candidate = Candidate::positive, Decay decay = Decay::positive>
class MinGruCell
    : public detail::MinimalCell<S, In, Hidden, detail::MinGruGates<candidate, Arithmetic::linear, decay>> {
  using Base = detail::MinimalCell<S, In, Hidden, detail::MinGruGates<candidate, Arithmetic::linear, decay>>;

 public:
  using Base::Base;
};

/// Of SignedMinGru.
template <class S, Index In, Index Hidden>
using SignedMinGruCell = MinGruCell<S, In, Hidden, Candidate::plain, Decay::flip>;

}  // namespace minrnn
