// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// A weight of one number for each channel, (H), which a gate uses beside its product of the input: the diagonal of a
/// matrix (H, H).
struct DiagonalWeight {
  std::string_view name;
  Index gate;                // behind whose weight and bias it is visited
  bool is_peephole = false;  // of the cell's state c, not of h
};

/// Gates without any.
struct NoDiagonals {
  static constexpr Index kDiagonals = 0;
  static constexpr Array<DiagonalWeight, 0> kDiagonalWeights{};

  template <class P>
  MINRNN_INLINE static Array<P, 0> prepare(const Array<P, 0>&) {
    return {};
  }
};

}  // namespace minrnn::detail
