// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/diagonal_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal_gru.hpp"

namespace minrnn {

/// DiagonalGru one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/diagonal_gru.hpp, whose `step` gives the same answers
/// Shapes      x (In), h (Hidden); h = 0 before the first step
/// Use         DiagonalGruCell<float, 1, 16> cell(trained_layer);  cell.step(x, h);
template <class S, Index In, Index Hidden>
class DiagonalGruCell : public detail::DiagonalCell<S, In, Hidden, detail::DiagonalGruGates> {
  using Base = detail::DiagonalCell<S, In, Hidden, detail::DiagonalGruGates>;

 public:
  using Base::Base;
};

}  // namespace minrnn
