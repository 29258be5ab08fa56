// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/diagonal_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal_lstm.hpp"

namespace minrnn {

/// DiagonalLstm one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/diagonal_lstm.hpp, whose `step` gives the same answers
/// Shapes      x (In), h and c (Hidden); h = c = 0 before the first step
/// Use         DiagonalLstmCell<float, 1, 16> cell(trained_layer);  cell.step(x, h, c);
template <class S, Index In, Index Hidden>
class DiagonalLstmCell : public detail::DiagonalCell<S, In, Hidden, detail::DiagonalLstmGates> {
  using Base = detail::DiagonalCell<S, In, Hidden, detail::DiagonalLstmGates>;

 public:
  using Base::Base;
};

}  // namespace minrnn
