// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/minimal_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/rg_lru.hpp"

namespace minrnn {

/// RG-LRU one step at a time, sizes known at compile time, no heap: for audio threads and microcontrollers.
///
/// Equations   as layers/rg_lru.hpp, whose `step` gives the same answers
/// Shapes      x (In), h (Hidden); h = 0 before the first step, or the layer's learnt initial state
/// Use         RgLruCell<float, 1, 16> cell(trained_layer);  cell.step(x, h);
template <class S, Index In, Index Hidden>
class RgLruCell : public detail::MinimalCell<S, In, Hidden, detail::RgLruGates> {
  using Base = detail::MinimalCell<S, In, Hidden, detail::RgLruGates>;

 public:
  using Base::Base;
};

}  // namespace minrnn
