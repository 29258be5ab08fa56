// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/core/check.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// The state of a layer whose gates see it: h, and where they have a cell, c.
template <class S, bool has_cell>
struct RecurrentState {
  Matrix<S> h;  // (H, B)
  Matrix<S> c;  // (H, B) where there is a cell, else empty

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "h", self.h);
    if constexpr (has_cell) visitor(scope / "c", self.c);
  }

  /// That before the first frame.
  static RecurrentState zero(std::string_view layer, Index features, Index batch) {
    check_batch(layer, batch);
    const Matrix<S> zeros = Matrix<S>::Zero(features, batch);
    return {zeros, has_cell ? zeros : Matrix<S>()};
  }

  /// Throws unless it is one of so many features and sequences. Its matrices are called `of_h` and `of_c`.
  void check_shape(std::string_view layer, std::string_view of_h, std::string_view of_c, Index features,
                   Index batch) const {
    check_matrix(layer, of_h, h, features, batch);
    if constexpr (has_cell) check_matrix(layer, of_c, c, features, batch);
  }
};

}  // namespace minrnn::detail
