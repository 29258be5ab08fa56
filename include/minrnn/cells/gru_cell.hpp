// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/recurrent_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/gru.hpp"

namespace minrnn {

/// GRU one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/gru.hpp, whose `step` gives the same answers
/// Shapes      x (In), h (Hidden); h = 0 before the first step
/// Use         GruCell<float, 1, 16> cell(trained_layer);  cell.step(x, h);
template <class S, Index In, Index Hidden>
class GruCell : public detail::RecurrentCell<S, In, Hidden, detail::GruGates> {
  using Base = detail::RecurrentCell<S, In, Hidden, detail::GruGates>;

 public:
  using Base::Base;
};

}  // namespace minrnn
