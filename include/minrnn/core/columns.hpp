// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/types.hpp"

namespace minrnn {

/// The features of a row at some lanes (see `for_lanes`), in memory: reads as a packet, and takes one by = and +=.
/// Neither copied nor kept: it is what `row[i]` gives, for the expression that it stands in.
template <class Lanes>
class RowLanes {
  using P = typename Lanes::P;
  using S = typename P::Scalar;

 public:
  MINRNN_INLINE RowLanes(S* data, Lanes lanes) : data_(data), lanes_(lanes) {}
  RowLanes(const RowLanes&) = delete;

  MINRNN_INLINE operator P() const { return lanes_.load(data_); }  // NOLINT: implicit, it reads as a packet
  MINRNN_INLINE void operator=(const P& value) const { lanes_.store(data_, value); }
  MINRNN_INLINE void operator=(const RowLanes& other) const { *this = P(other); }
  MINRNN_INLINE void operator+=(const P& value) const { *this = P(*this) + value; }

  friend MINRNN_INLINE P operator+(const RowLanes& a, const P& b) { return P(a) + b; }
  friend MINRNN_INLINE P operator*(const RowLanes& a, const P& b) { return P(a) * b; }
  friend MINRNN_INLINE P fma(const P& a, const P& b, const RowLanes& c) { return fma(a, b, P(c)); }

 private:
  S* data_;
  Lanes lanes_;
};

/// The features of one frame. x[i] are those at the lanes i of a `for_lanes`: a packet, or something to assign one to.
template <class S>
struct Row {
  S* data = nullptr;

  Row() = default;
  MINRNN_INLINE explicit Row(S* features) : data(features) {}
  /// The first column of a matrix; none where it is empty.
  MINRNN_INLINE Row(  // NOLINT: implicit, a vector is a row of features
      std::conditional_t<std::is_const_v<S>, const Matrix<std::remove_const_t<S>>, Matrix<S>>& vector)
      : data(vector.data()) {}
  MINRNN_INLINE operator Row<const S>() const  // NOLINT: implicit, as T* to const T*
      requires(!std::is_const_v<S>) {
    return Row<const S>(data);
  }

  template <class Lanes>
  MINRNN_INLINE auto operator[](Lanes i) const {
    if constexpr (std::is_const_v<S>)
      return i.load(data);
    else
      return RowLanes<Lanes>(data, i);
  }
  /// The features from this one on: those of the second gate, for instance.
  MINRNN_INLINE Row from(Index feature) const { return Row(data + feature); }
};

/// A block of columns (rows, count) in somebody else's memory, features contiguous, columns `stride` scalars apart: a
/// matrix, the frames of a stretch of time, one frame of all sequences. Nothing is checked.
template <class S>
struct Columns {
  S* data = nullptr;
  Index rows = 0, count = 0, stride = 0;

  Columns() = default;
  MINRNN_INLINE Columns(S* first, Index features, Index columns, Index apart)
      : data(first), rows(features), count(columns), stride(apart) {}
  /// Columns without gaps.
  MINRNN_INLINE Columns(S* first, Index features, Index columns) : Columns(first, features, columns, features) {}
  MINRNN_INLINE Columns(  // NOLINT: implicit, a matrix is its columns
      std::conditional_t<std::is_const_v<S>, const Matrix<std::remove_const_t<S>>, Matrix<S>>& matrix)
      : Columns(matrix.data(), matrix.rows(), matrix.cols()) {}
  MINRNN_INLINE operator Columns<const S>() const  // NOLINT: implicit, as T* to const T*
      requires(!std::is_const_v<S>) {
    return {data, rows, count, stride};
  }

  MINRNN_INLINE Row<S> operator[](Index j) const { return Row<S>(data + j * stride); }
  MINRNN_INLINE Columns block(Index first, Index columns) const {
    return {data + first * stride, rows, columns, stride};
  }
  /// Rows [first, first + features) of all columns: one gate of several.
  MINRNN_INLINE Columns features(Index first, Index features) const {
    return {count == 0 ? data : data + first, features, count, stride};  // no columns may have no memory
  }
};

}  // namespace minrnn
