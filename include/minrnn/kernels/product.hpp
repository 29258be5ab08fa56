// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/prefetch.hpp"
#include "minrnn/kernels/product_kernel.hpp"

/// Products of a weight with a stretch of a sequence, on one thread, without an allocation.
///
/// All of them run one kernel, `ProductKernel`, that keeps a block of C in registers and walks the depth.
/// While it computes, memory is idle: a `Prefetcher` given to a product uses that for what will be read next.
///
/// Every element of C is one chain of multiply-adds over k in order, whatever the block it falls in. So forward, infer,
/// step and any split into chunks give the same bits, and so does any division among threads.
namespace minrnn::detail {

/// Below this many columns packing a weight costs more than it saves.
inline constexpr Index kFewColumns = 32;

/// Y (M, n) = bias + W X straight from the weight, for few columns: what `step` uses. Without a bias: an empty row.
/// Rows that fill no packet are covered by one that overlaps its neighbour and computes the same again.
template <class S>
void multiply_unpacked(const Matrix<S>& w, const Columns<const std::type_identity_t<S>>& x,
                       Row<const std::type_identity_t<S>> bias, const Columns<std::type_identity_t<S>>& y) {
  using Kernel = ProductKernel<S>;
  constexpr Index kWidth = Packet<S>::size;
  const Index rows = w.rows(), depth = w.cols();
  // Calls body(row) so that blocks of `size` rows cover rows [first, rows); returns where the whole blocks end.
  const auto blocks = [&](Index first, Index size, bool overlap, auto&& body) {
    for (; first + size <= rows; first += size) body(first);
    if (overlap && first < rows) body(rows - size);
    return first;
  };
  const auto bias_from = [&](Index row) { return bias.data ? bias.data + row : nullptr; };
  if (x.count > 1 && rows >= Kernel::kPanel) {
    blocks(0, Kernel::kPanel, true, [&](Index row) {
      Kernel::panel(depth, x.count, w.data() + row, rows, x.data, 1, x.stride, bias_from(row), 0, y.data + row,
                    y.stride);
    });
    return;
  }
  for (Index j = 0; j < x.count; ++j) {
    const S* x_j = x[j].data;
    S* y_j = y[j].data;
    const auto product = [&]<int packets>(std::integral_constant<int, packets>) {
      return [&](Index row) {
        Kernel::template run<packets, 1>(depth, w.data() + row, rows, x_j, 1, 0, bias_from(row), 0, y_j + row, 0);
      };
    };
    Index row = blocks(0, 8 * kWidth, false, product(std::integral_constant<int, 8>{}));
    row = blocks(row, 4 * kWidth, false, product(std::integral_constant<int, 4>{}));
    blocks(row, kWidth, rows >= kWidth, product(std::integral_constant<int, 1>{}));
    if (rows >= kWidth) continue;
    const PartialLanes<S> i{0, rows};
    Packet<S> sum = bias.data ? bias[i] : Packet<S>(S(0));
    for (Index k = 0; k < depth; ++k) sum = fma(i.load(w.data() + k * rows), Packet<S>(x_j[k]), sum);
    i.store(y_j, sum);
  }
}

/// The same of a weight that may be narrow.
template <class S>
void multiply_unpacked(const Parameter<S>& w, const Columns<const std::type_identity_t<S>>& x,
                       Row<const std::type_identity_t<S>> bias, const Columns<std::type_identity_t<S>>& y) {
  if (w.is_narrow())
    w.narrow.multiply(w.narrow, x, bias, y);
  else
    multiply_unpacked(w.value, x, bias, y);
}

/// A weight (rows, depth) stored as the kernel reads it: panels of kPanel rows, each contiguous over the depth, the
/// last filled up with zeros. Packed once and used for every time step; for few columns it is used as it is.
template <class S>
class PackedWeight {
  using Kernel = ProductKernel<S>;
  static constexpr Index kPanel = Kernel::kPanel;

 public:
  /// Makes it W for products with so many columns in all. W must stay until the last of them.
  void prepare(const Matrix<S>& w, Index columns) {
    const bool pays = columns >= kFewColumns;
    if (pays) {
      resize(w.rows(), w.cols());
      set_rows(0, w);
    }
    matrix_ = &w;
    narrow_ = nullptr;
    is_packed_ = pays;
  }
  /// The same of a weight that may be narrow. That of integers is multiplied as it is, however many the columns.
  void prepare(const Parameter<S>& w, Index columns) {
    if (!w.is_narrow()) return prepare(w.value, columns);
    const bool pays = w.narrow.is_bf16() && columns >= kFewColumns;
    if (pays) {
      resize(w.rows(), w.cols());
      for (Index k = 0; k < depth_; ++k)
        for (Index r = 0; r < rows_; ++r) at(r, k) = static_cast<S>(widened(w.narrow.bf16(r, k)));
    }
    matrix_ = nullptr;
    narrow_ = &w.narrow;
    is_packed_ = pays;
  }
  /// Makes it W^T.
  void prepare_transposed(const Matrix<S>& w) {
    resize(w.cols(), w.rows());
    set_transposed(0, w);
  }

  /// Room for a weight that `set_rows` or `set_transposed` puts together.
  void resize(Index rows, Index depth) {
    matrix_ = nullptr;
    narrow_ = nullptr;
    is_packed_ = true;
    rows_ = rows;
    depth_ = depth;
    const Index panels = (rows + kPanel - 1) / kPanel;
    data_.resize(kPanel, depth, panels);
    if (rows % kPanel != 0) std::fill_n(data_.data() + (panels - 1) * kPanel * depth, kPanel * depth, S(0));
  }
  Index rows() const { return rows_; }
  Index depth() const { return depth_; }
  /// Rows [i kPanel, (i + 1) kPanel), contiguous over the depth.
  const S* panel(Index i) const { return data_.data() + i * kPanel * depth_; }

  /// Rows [first, first + w.rows()) become those of w.
  void set_rows(Index first, const Matrix<S>& w) {
    for (Index r = 0, count; r < w.rows(); r += count) {
      count = std::min<Index>(kPanel - (first + r) % kPanel, w.rows() - r);
      for (Index k = 0; k < depth_; ++k) std::copy_n(w.col(k).data() + r, count, &at(first + r, k));
    }
  }
  /// Columns [first, first + w.rows()) become the rows of w: the transposed weight.
  void set_transposed(Index first, const Matrix<S>& w) {
    for (Index r = 0; r < rows_; ++r)
      for (Index k = 0; k < w.rows(); ++k) at(r, first + k) = w(k, r);
  }

  /// Y (rows, n) = bias + W X. Without a bias: an empty row. Columns are passed by reference and not through a function
  /// in between: a copy of what was just put together member by member would wait for the memory, which a small step
  /// notices.
  MINRNN_INLINE void multiply(const Columns<const S>& x, Row<const S> bias, const Columns<S>& y,
                              Prefetcher<S>* ahead = nullptr) const {
    if (narrow_ != nullptr && (!is_packed_ || x.count == 1)) [[unlikely]]
      narrow_->multiply(*narrow_, x, bias, y);
    else if (!is_packed_ || (matrix_ && x.count == 1))
      multiply_unpacked(*matrix_, x, bias, y);
    else
      multiply_packed(x, bias, y, ahead);
  }

 private:
  void multiply_packed(const Columns<const S>& x, Row<const S> bias, const Columns<S>& y, Prefetcher<S>* ahead) const {
    const auto bias_from = [&](Index row) { return bias.data ? bias.data + row : nullptr; };
    Index row = 0;
    for (; row + kPanel <= rows_; row += kPanel)
      Kernel::panel(depth_, x.count, panel(row / kPanel), kPanel, x.data, 1, x.stride, bias_from(row), 0, y.data + row,
                    y.stride, ahead);
    if (row == rows_) return;
    S init[std::size_t{kPanel}] = {}, block[std::size_t{kPanel * Kernel::kColumns}];
    if (bias.data) std::copy_n(bias_from(row), rows_ - row, init);
    for (Index j = 0; j < x.count; j += Kernel::kColumns) {
      const Index columns = std::min<Index>(Kernel::kColumns, x.count - j);
      Kernel::panel(depth_, columns, panel(row / kPanel), kPanel, x[j].data, 1, x.stride, init, 0, block, kPanel);
      for (Index c = 0; c < columns; ++c) std::copy_n(block + c * kPanel, rows_ - row, y[j + c].data + row);
    }
  }
  S& at(Index r, Index k) { return data_.data()[(r / kPanel * depth_ + k) * kPanel + r % kPanel]; }
  const Matrix<S>* matrix_ = nullptr;        // W as it is, where `prepare` made it
  const NarrowWeight<S>* narrow_ = nullptr;  // the same of a narrow one
  bool is_packed_ = true;
  Index rows_ = 0, depth_ = 0;
  Sequence<S> data_;
};

/// The columns that `add_outer_product` takes at a time.
inline constexpr Index kOuterDepth = 256;
/// Scalars of scratch that it needs: a panel of A. Not on the stack, which may be small.
template <class S>
inline constexpr Index kOuterScratch = kOuterDepth* ProductKernel<S>::kPanel;

/// C (M, K) += A (M, n) B (K, n)^T: the gradient of a weight.
template <class S>
void add_outer_product(Columns<const std::type_identity_t<S>> a, Columns<const std::type_identity_t<S>> b, Columns<S> c,
                       std::type_identity_t<S>* packed, Prefetcher<std::type_identity_t<S>>* ahead = nullptr) {
  using Kernel = ProductKernel<S>;
  constexpr Index kPanel = Kernel::kPanel;
  for (Index first = 0; first < a.count; first += kOuterDepth) {
    const Index depth = std::min<Index>(kOuterDepth, a.count - first);
    for (Index row = 0; row < c.rows; row += kPanel) {
      const Index rows = std::min<Index>(kPanel, c.rows - row);
      const S* column = a[first].data + row;
      if (rows == kPanel) {
        for (Index k = 0; k < depth; ++k, column += a.stride)
          unroll<Kernel::kRows>([&](auto r) {
            constexpr Index offset = r * Packet<S>::size;
            Packet<S>::load(column + offset).store(packed + k * kPanel + offset);
          });
        Kernel::panel(depth, c.count, packed, kPanel, b[first].data, b.stride, 1, c.data + row, c.stride, c.data + row,
                      c.stride, ahead);
        continue;
      }
      std::fill_n(packed, kPanel * depth, S(0));
      for (Index k = 0; k < depth; ++k, column += a.stride) std::copy_n(column, rows, packed + k * kPanel);
      S block[kPanel * Kernel::kColumns] = {};
      for (Index j = 0; j < c.count; j += Kernel::kColumns) {
        const Index columns = std::min<Index>(Kernel::kColumns, c.count - j);
        for (Index k = 0; k < columns; ++k) std::copy_n(c[j + k].data + row, rows, block + k * kPanel);
        Kernel::panel(depth, columns, packed, kPanel, b[first].data + j, b.stride, 1, block, kPanel, block, kPanel);
        for (Index k = 0; k < columns; ++k) std::copy_n(block + k * kPanel, rows, c[j + k].data + row);
      }
    }
  }
}

/// sum (M) += the columns of A (M, n): the gradient of a bias.
template <class S>
void add_columns(Columns<const std::type_identity_t<S>> a, Row<S> sum) {
  for (Index j = 0; j < a.count; ++j) for_lanes<S>(a.rows, [&](auto i) { sum[i] += a[j][i]; });
}

}  // namespace minrnn::detail
