// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/cell.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// What cells have in common that remember nothing.
template <class S, Index In, Index Out>
struct FrameWiseForm {
  using Scalar = S;
  using State = NoCellState;
  static constexpr Index kInputs = In, kOutputs = Out;

  static State initial_state(const S*) noexcept { return {}; }
};

}  // namespace minrnn::detail
