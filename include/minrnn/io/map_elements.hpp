// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// How the elements of the tensors of a `NameMap` go from theirs to ours and back, by one walk for both ways.
namespace minrnn::detail {

struct PlacedTie {
  std::size_t tensor, of;  // of ours
  bool transposed;
};

/// A map beside the tensors of ours: every row of every one of them has exactly one place in it.
class MapPlan {
 public:
  /// Throws where the map does not fit. Refers to both.
  MapPlan(const TensorFile& ours, const NameMap& map) : ours_(ours) {
    known_tensors(ours);  // each is what it says
    for (std::size_t i = 0; i < ours.tensors.size(); ++i)
      if (!is_self_test(ours.tensors[i].name)) index_.emplace(ours.tensors[i].name, i);
    covered_.resize(ours.tensors.size());
    for (const MapEntry& entry : map.entries) {
      entries_.push_back(place_entry(ours, index_, entry));
      for (const PlacedPiece& piece : entries_.back().pieces) cover(piece.tensor, piece.first_row, piece.rows);
    }
    for (const auto& zero : map.zeros)
      if (const auto found = index_.find(zero.ours); found != index_.end()) {
        cover(found->second);
        zeros_.push_back(found->second);
      }
    for (const auto& tie : map.ties) {
      const PlacedTie placed{find(tie.ours), find(tie.of), tie.transposed};
      const Shape& shape = ours.tensors[placed.of].shape;
      const StoredTensor& tensor = ours.tensors[placed.tensor];
      if (tensor.dtype != ours.tensors[placed.of].dtype ||
          tensor.shape != (tie.transposed ? Shape(shape.rbegin(), shape.rend()) : shape))
        throw_of_ours(ours, tie.ours, "cannot be tied to " + printable(tie.of) + ": their shapes differ");
      cover(placed.tensor);
      ties_.push_back(placed);
    }
    for (const auto& scale : map.scales) scales_.push_back(find(scale.ours));
    for (std::size_t i = 0; i < covered_.size(); ++i)
      if (!is_self_test(ours.tensors[i].name) &&
          (covered_[i].empty() || std::find(covered_[i].begin(), covered_[i].end(), 0) != covered_[i].end()))
        throw_of_ours(ours, ours.tensors[i].name, "has no place in it");
  }

  const std::vector<PlacedEntry>& entries() const { return entries_; }
  const std::vector<std::size_t>& zeros() const { return zeros_; }
  const std::vector<PlacedTie>& ties() const { return ties_; }
  const std::vector<std::size_t>& scales() const { return scales_; }  // what they scale

 private:
  std::size_t find(const std::string& name) const {
    const auto found = index_.find(name);
    if (found == index_.end()) throw_of_ours(ours_, name, "there is none");
    return found->second;
  }
  void cover(std::size_t tensor) { cover(tensor, 0, extent_of(ours_.tensors[tensor].shape).rows); }
  void cover(std::size_t tensor, std::uint64_t first, std::uint64_t count) {
    auto& rows = covered_[tensor];
    rows.resize(memory_size(extent_of(ours_.tensors[tensor].shape).rows));
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    if (std::find(begin, end, 1) != end) throw_of_ours(ours_, ours_.tensors[tensor].name, "has two places in it");
    std::fill(begin, end, char{1});
  }

  const TensorFile& ours_;
  std::map<std::string_view, std::size_t> index_;
  std::vector<std::vector<char>> covered_;  // of each tensor, each row
  std::vector<PlacedEntry> entries_;
  std::vector<std::size_t> zeros_, scales_;
  std::vector<PlacedTie> ties_;
};

/// Calls body(element of theirs, piece, element of ours) for all elements of a piece: their numbers in the tensors.
template <class Body>
void for_elements(const PlacedEntry& placed, const PlacedPiece& piece, Body&& body) {
  for (std::uint64_t i = 0; i < piece.rows; ++i)
    for (std::uint64_t j = 0; j < piece.columns; ++j)
      body(place_of(placed, piece.row_offset + i, piece.offset + j),
           memory_size((piece.first_row + i) * piece.columns + j));
}

/// A number of a tensor of floats or doubles, as changed by `change`.
template <class Change>
void change_float(Dtype dtype, const std::byte* from, std::byte* to, const Change& change) {
  const auto apply = [&](auto number) {
    copy_little_endian(&number, from, sizeof(number));
    number = change(number);
    copy_little_endian(to, &number, sizeof(number));
  };
  if (dtype == Dtype::f64)
    apply(double());
  else if (dtype == Dtype::f32)
    apply(float());
  else
    throw std::runtime_error("a map computes with F32 and F64 alone, given another type");
}
/// Whether a number is 0, or -0 where its type has one.
inline bool is_zero(Dtype dtype, const std::byte* number) {
  const std::size_t size = memory_size(dtype_entry(dtype).size);
  const std::byte but_the_sign = is_floating(dtype) ? std::byte{0x7f} : std::byte{0xff};
  const auto is_set = [](std::byte byte) { return byte != std::byte{0}; };
  return std::none_of(number, number + size - 1, is_set) && (number[size - 1] & but_the_sign) == std::byte{0};
}
inline bool is_zero(const StoredTensor& tensor) {
  const std::size_t size = memory_size(dtype_entry(tensor.dtype).size);
  for (std::size_t i = 0; i < tensor.bytes.size(); i += size)
    if (!is_zero(tensor.dtype, tensor.bytes.data() + i)) return false;
  return true;
}

/// Gives the pieces of an entry the values of its tensor.
inline void read_entry(const PlacedEntry& placed, const StoredTensor& from, TensorFile& ours) {
  const std::size_t size = memory_size(dtype_entry(placed.dtype).size);
  const bool is_sum = placed.entry->value == Value::sum;
  for (std::size_t p = 0; p < placed.pieces.size(); ++p) {
    std::byte* to = ours.tensors[placed.pieces[p].tensor].bytes.data();
    for_elements(placed, placed.pieces[p], [&](std::size_t i, std::size_t k) {
      if (is_sum && p > 0)
        std::memset(to + k * size, 0, size);
      else if (placed.entry->value == Value::less_one)
        change_float(placed.dtype, from.bytes.data() + i * size, to + k * size, [](auto value) { return value + 1; });
      else
        std::memcpy(to + k * size, from.bytes.data() + i * size, size);
    });
  }
}

/// The tensor of an entry from its pieces.
inline StoredTensor write_entry(const PlacedEntry& placed, const TensorFile& ours) {
  const std::size_t size = memory_size(dtype_entry(placed.dtype).size);
  StoredTensor result{placed.entry->theirs, placed.dtype, placed.shape, {}};
  result.bytes.resize(memory_size(*byte_count(placed.dtype, placed.shape)));
  for (std::size_t p = 0; p < placed.pieces.size(); ++p) {
    const std::byte* from = ours.tensors[placed.pieces[p].tensor].bytes.data();
    for_elements(placed, placed.pieces[p], [&](std::size_t i, std::size_t k) {
      std::byte* to = result.bytes.data() + i * size;
      if (placed.entry->value == Value::less_one)
        change_float(placed.dtype, from + k * size, to, [](auto value) { return value - 1; });
      else if (p == 0 || placed.entry->value != Value::sum)
        std::memcpy(to, from + k * size, size);
      else if (!is_zero(placed.dtype, from + k * size))  // -0 + 0 would be another zero
        change_float(placed.dtype, to, to, [&](auto value) {
          decltype(value) other;
          copy_little_endian(&other, from + k * size, size);
          return value + other;
        });
    });
  }
  return result;
}

/// The shape of what scales the columns of a tensor.
inline Shape scale_shape(const StoredTensor& scaled) { return {extent_of(scaled.shape).columns}; }

/// Multiplies each column of a tensor by an element of a vector.
inline void scale_columns(const StoredTensor& scale, StoredTensor& scaled) {
  const std::size_t size = memory_size(dtype_entry(scaled.dtype).size);
  const std::size_t columns = scale.bytes.size() / size;
  for (std::size_t i = 0; i * size < scaled.bytes.size(); ++i)
    change_float(scaled.dtype, scaled.bytes.data() + i * size, scaled.bytes.data() + i * size, [&](auto value) {
      decltype(value) factor;
      copy_little_endian(&factor, scale.bytes.data() + i % columns * size, size);
      return value * factor;
    });
}
/// Ones, which would scale the columns of a tensor.
inline StoredTensor ones_for(const std::string& name, const StoredTensor& scaled) {
  StoredTensor ones{name, scaled.dtype, scale_shape(scaled), {}};
  ones.bytes.resize(memory_size(*byte_count(ones.dtype, ones.shape)));
  const std::size_t size = memory_size(dtype_entry(ones.dtype).size);
  for (std::size_t i = 0; i < ones.bytes.size(); i += size)
    change_float(ones.dtype, ones.bytes.data() + i, ones.bytes.data() + i,
                 [](auto value) { return decltype(value)(1); });
  return ones;
}

/// The values of a tensor as those of another one, which may be the transposed one.
inline void copy_tied(const StoredTensor& from, bool is_transposed, StoredTensor& to) {
  const std::size_t size = memory_size(dtype_entry(from.dtype).size);
  if (!is_transposed) {
    to.bytes = from.bytes;
    return;
  }
  const Extent extent = extent_of(from.shape);
  for (std::uint64_t i = 0; i < extent.rows; ++i)
    for (std::uint64_t j = 0; j < extent.columns; ++j)
      std::memcpy(to.bytes.data() + memory_size(j * extent.rows + i) * size,
                  from.bytes.data() + memory_size(i * extent.columns + j) * size, size);
}

}  // namespace minrnn::detail
