// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <type_traits>

#include <Eigen/Core>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product_kernel.hpp"

/// Products of queries, keys and values in small tiles.
namespace minrnn::detail {

/// n rounded up to whole panels of the product kernel.
template <class S>
Index padded(Index n) {
  constexpr Index kPanel = ProductKernel<S>::kPanel;
  return (n + kPanel - 1) / kPanel * kPanel;
}

/// X (E, n) stored as the kernel reads the rows of X^T: panels of kPanel columns of X, each contiguous over the
/// features, the last filled up with zeros.
template <class S>
class TransposedColumns {
  using Kernel = ProductKernel<S>;
  static constexpr Index kPanel = Kernel::kPanel, kWidth = Packet<S>::size;

 public:
  /// Scalars of memory for X.
  static Index size(Index features, Index columns) { return features * padded<S>(columns); }

  /// In memory that `fill` has filled, or will.
  TransposedColumns(S* memory, Index features) : data_(memory), features_(features) {}

  void fill(Columns<const S> x) const {
    for (Index first = 0; first < padded<S>(x.count); first += kWidth) set(first, x);
  }

  /// Y (padded(count), m) = X_n^T Z for count columns X_n of X from the first on, which begins a panel.
  void multiply(Index first, Index count, Columns<const S> z, Columns<S> y) const {
    for (Index i = 0; i < count; i += kPanel)
      Kernel::panel(features_, z.count, data_ + (first + i) * features_, kPanel, z.data, 1, z.stride, nullptr, 0,
                    y.data + i, y.stride);
  }

 private:
  /// Columns [first, first + kWidth), which fill a packet.
  void set(Index first, Columns<const S> x) const {
    S* to = data_ + first / kPanel * kPanel * features_ + first % kPanel;
    const Index columns = std::clamp<Index>(x.count - first, 0, kWidth);
    Index e = 0;
    if (columns == kWidth)
      for (; e + kWidth <= features_; e += kWidth) transpose(x[first].data + e, x.stride, to + e * kPanel);
    for (; e < features_; ++e)
      for (Index j = 0; j < kWidth; ++j) to[e * kPanel + j] = j < columns ? x[first + j].data[e] : S(0);
  }
  /// A square of kWidth scalars, which Eigen transposes by packets.
  static void transpose(const S* from, Index stride, S* to) {
    using Square = Eigen::Matrix<S, int{kWidth}, int{kWidth}>;
    Eigen::Map<Square, Eigen::Unaligned, Eigen::OuterStride<>> square(to, Eigen::OuterStride<>(kPanel));
    square = Eigen::Map<const Square, Eigen::Unaligned, Eigen::OuterStride<>>(from, Eigen::OuterStride<>(stride));
    square.transposeInPlace();
  }

  S* data_;
  Index features_;
};

/// C (padded(M), n) += A (padded(M), m) B (m, n).
template <class S>
void add_product(Columns<const std::type_identity_t<S>> a, Columns<const std::type_identity_t<S>> b, Columns<S> c) {
  using Kernel = ProductKernel<S>;
  for (Index row = 0; row < c.rows; row += Kernel::kPanel)
    Kernel::panel(a.count, b.count, a.data + row, a.stride, b.data, 1, b.stride, c.data + row, c.stride, c.data + row,
                  c.stride);
}

}  // namespace minrnn::detail
