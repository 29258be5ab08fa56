// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/gated_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// One step of gates that see only the input, with sizes known at compile time.
///
/// Equations   k = W x + b for each gate;  h = decay h + input, both from k by Gates
/// Shapes      x (In), h (Hidden); W (G Hidden, In)
template <class S, Index In, Index Hidden, ScanGates Gates>
class MinimalCell : public GatedCell<S, In, Hidden, Gates> {
  using Base = GatedCell<S, In, Hidden, Gates>;

 public:
  using Base::Base;
  using typename Base::Input, typename Base::Output;

  /// h becomes the state after x. Never allocates, locks or throws.
  void step(const Input& x, Output& h) const noexcept {
    this->for_gates(x, [&](auto lanes, const auto& k, const auto& diagonal) MINRNN_INLINE_LAMBDA {
      const auto step = Gates::forward(k, Gates::prepare(diagonal));
      lanes.store(h.data(), fma(step.decay, lanes.load(h.data()), step.input));
    });
  }
};

}  // namespace minrnn::detail
