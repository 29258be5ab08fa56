// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/recurrent_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/lstm.hpp"

namespace minrnn {

/// LSTM one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/lstm.hpp, whose `step` gives the same answers
/// Shapes      x (In), h and c (Hidden); h = c = 0 before the first step
/// Use         LstmCell<float, 1, 16> cell(trained_layer);  cell.step(x, h, c);
template <class S, Index In, Index Hidden>
class LstmCell : public detail::RecurrentCell<S, In, Hidden, detail::LstmGates> {
  using Base = detail::RecurrentCell<S, In, Hidden, detail::LstmGates>;

 public:
  using Base::Base;
};

}  // namespace minrnn
