// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// How many weights of cells lie behind each other, in each of the ways in which they may be stored: all of them one
/// array of scalars; or the matrices of products in few bits, and beside these an array of scalars with all else.
struct WeightsSize {
  constexpr WeightsSize() = default;
  /// Numbers that are no matrix of a product.
  constexpr WeightsSize(Index count) : full(count), numbers(count) {}  // NOLINT: implicit, as one adds numbers
  /// The matrix of a product. In few bits its columns are in pairs.
  static constexpr WeightsSize matrix(Index rows, Index columns) {
    WeightsSize size;
    size.full = rows * columns;
    size.elements = rows * ((columns + 1) / 2 * 2);
    size.scales = rows;
    return size;
  }

  Index full = 0;      // scalars of the one array
  Index elements = 0;  // of few bits
  Index scales = 0;    // scalars beside elements of 8 bits, one for each row
  Index numbers = 0;   // scalars beside elements

  friend constexpr WeightsSize operator+(WeightsSize a, WeightsSize b) {
    a.full += b.full;
    a.elements += b.elements;
    a.scales += b.scales;
    a.numbers += b.numbers;
    return a;
  }
  template <class S>
  friend constexpr S* operator+(S* weights, WeightsSize n) {
    return weights + n.full;
  }

  /// Filled up to where the weights of the next cell of a chain begin: a register is loaded fastest where it crosses no
  /// cache line.
  constexpr WeightsSize aligned() const {
    WeightsSize size = *this;
    size.full = (full + 15) / 16 * 16;
    size.elements = (elements + 31) / 32 * 32;  // two columns of 16 rows
    return size;
  }
};

/// Where the weights of cells lie that are stored in few bits: cells/narrow_weights.hpp.
template <class S, class T>
struct NarrowPointer;

}  // namespace minrnn::detail
