// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "minrnn/core/bit_cast.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// How the large weights of a model are stored that only streams: see `quantise`.
///   bf16  16 bits each: the upper half of a float
///   int8  8 bits each: integers q from -127 to 127, the weight being scale q with one scale for each row, or for each
///         symbol of an embedding
enum class WeightFormat { bf16, int8 };

/// How a layer reads a parameter. Those that nothing but a product y = W x or a look-up of a column for each symbol
/// reads may be stored in fewer bits; the elements of others stay as they are.
enum class ReadBy { elements, products, symbols };

namespace detail {

/// A number of 16 bits: the upper half of a float.
struct Bf16 {
  std::uint16_t bits;
};
inline float widened(Bf16 x) { return detail::bit_cast<float>(std::uint32_t{x.bits} << 16); }

/// A matrix of elements of few bits, in the order in which they are read. For a product that is by panels of 16 rows;
/// in each of them two columns after two columns:
///
///     w(0, 0) w(0, 1)  w(1, 0) w(1, 1)  ...  w(15, 0) w(15, 1)   w(0, 2) w(0, 3)  w(1, 2) ...
///
/// so that a register of 32 bits a lane has 16 rows of two columns, and a product reads a panel from end to end. Rows
/// and columns that fill up the last panel and the last two are zero. A table is stored column by column.
template <class T>
class StoredMatrix {
 public:
  static constexpr Index kPanel = 16;

  /// Zeros.
  void resize(Index rows, Index columns, ReadBy read_by) {
    read_by_ = read_by;
    rows_ = rows;
    columns_ = columns;
    const Index size = read_by == ReadBy::symbols ? rows * columns : (rows + kPanel - 1) / kPanel * panel_size();
    elements_.assign(static_cast<std::size_t>(size), T{});
  }

  bool empty() const { return elements_.empty(); }
  Index rows() const { return empty() ? 0 : rows_; }
  Index cols() const { return empty() ? 0 : columns_; }
  Index size() const { return rows() * cols(); }

  T& operator()(Index r, Index c) { return elements_[place(r, c)]; }
  const T& operator()(Index r, Index c) const { return elements_[place(r, c)]; }

  /// Rows [16 i, 16 i + 16), for a product.
  const T* panel(Index i) const { return elements_.data() + i * panel_size(); }
  Index panel_size() const { return (columns_ + 1) / 2 * 2 * kPanel; }
  /// For a table.
  const T* column(Index c) const { return elements_.data() + c * rows_; }

 private:
  std::size_t place(Index r, Index c) const {
    return static_cast<std::size_t>(read_by_ == ReadBy::symbols
                                        ? c * rows_ + r
                                        : r / kPanel * panel_size() + c / 2 * 2 * kPanel + r % kPanel * 2 + c % 2);
  }

  ReadBy read_by_ = ReadBy::products;
  Index rows_ = 0, columns_ = 0;
  std::vector<T, Eigen::aligned_allocator<T>> elements_;
};

/// A weight of few bits: one of the two matrices, the other is empty.
template <class S>
struct NarrowWeight {
  StoredMatrix<Bf16> bf16;
  StoredMatrix<std::int8_t> int8;
  Matrix<S> scale;  // of int8: (rows, 1), of a table (1, columns)
  /// y = bias + W x, from whoever stores W: what has no narrow weights need not compile their products.
  void (*multiply)(const NarrowWeight& w, const Columns<const S>& x, Row<const S> bias, const Columns<S>& y) = nullptr;

  bool is_bf16() const { return !bf16.empty(); }
  Index rows() const { return is_bf16() ? bf16.rows() : int8.rows(); }
  Index cols() const { return is_bf16() ? bf16.cols() : int8.cols(); }
  bool empty() const { return bf16.empty() && int8.empty(); }

  /// Column c of a table, into rows() scalars.
  void read_column(Index c, S* to) const {
    for (Index r = 0; r < rows(); ++r)
      to[r] = is_bf16() ? static_cast<S>(widened(bf16.column(c)[r])) : scale(0, c) * S(int8.column(c)[r]);
  }
};

}  // namespace detail

}  // namespace minrnn
