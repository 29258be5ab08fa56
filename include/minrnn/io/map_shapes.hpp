// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/io/name_map.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// How the shapes of a `NameMap` follow from those of ours, or of theirs.
namespace minrnn::detail {

using Shape = std::vector<std::uint64_t>;

/// A shape as rows and columns; a vector, or a number, has one column.
struct Extent {
  std::uint64_t rows = 1, columns = 1;
  bool is_vector = true;
};
inline Extent extent_of(const Shape& shape) {
  if (shape.size() == 2) return {shape[0], shape[1], false};
  return {shape.empty() ? 1 : shape[0], 1, true};
}

/// As `tensors_by_name`. Throws also for a type that is not known, and for an empty tensor: no layer has one, and its
/// other size is bound by no bytes.
inline TensorsByName known_tensors(const TensorFile& file) {
  TensorsByName result = tensors_by_name(file);
  for (const auto& [name, tensor] : result) {
    if (tensor->dtype == Dtype::other) throw_tensor(file.path, name, "a type that is known", describe(*tensor));
    if (tensor->bytes.empty()) throw_tensor(file.path, name, "at least one number", describe(*tensor));
  }
  return result;
}

/// Throws where a tensor is of another shape or type.
inline void check_shape(const std::filesystem::path& path, const StoredTensor& tensor, Dtype dtype,
                        const Shape& shape) {
  if (tensor.shape == shape && tensor.dtype == dtype) return;
  const bool is_turned = tensor.shape != shape && Shape(tensor.shape.rbegin(), tensor.shape.rend()) == shape;
  throw_tensor(path, tensor.name, describe(dtype, shape), describe(tensor) + (is_turned ? ": transposed" : ""));
}
/// The tensor of this name and shape, which a file at `path` wants.
inline const StoredTensor& tensor_of_shape(const TensorsByName& tensors, const std::string& name, const Shape& shape,
                                           const std::filesystem::path& path) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw_tensor(path, name, describe(Dtype::f32, shape), "none");
  check_shape(path, *found->second, found->second->dtype, shape);
  return *found->second;
}

/// Rows of a tensor of ours as they lie in one of theirs.
struct PlacedPiece {
  std::size_t tensor = 0;                    // of ours
  std::uint64_t first_row = 0;               // in it
  std::uint64_t rows = 0, columns = 0;       // of the piece
  std::uint64_t row_offset = 0, offset = 0;  // where it begins in the whole: rows, columns
};

/// A tensor of theirs as a matrix of pieces of ours, and the shape that it has in a file.
struct PlacedEntry {
  const MapEntry* entry = nullptr;
  std::vector<PlacedPiece> pieces;
  Extent whole;
  Shape shape;
  Dtype dtype = Dtype::f32;
};

/// The shape of theirs that is the matrix `whole` in the form of an entry.
inline Shape shape_of(const Extent& whole, const MapEntry& entry) {
  if (entry.form == Form::in_two_rows) return {2, whole.rows / 2};
  if (whole.is_vector || entry.form == Form::flat) return {whole.rows};
  switch (entry.form) {
    case Form::transposed:
      return {whole.columns, whole.rows};
    case Form::with_middle_unit:
      return {whole.rows, 1, whole.columns};
    case Form::with_taps_last:
      return {whole.rows, whole.columns / entry.taps, entry.taps};
    default:
      return {whole.rows, whole.columns};
  }
}
/// The other way; none where a shape has not this form.
inline std::optional<Extent> whole_of(const Shape& shape, const MapEntry& entry) {
  const Form form = entry.form;
  if (form == Form::flat) return shape.size() == 1 ? std::optional(Extent{shape[0], 1, false}) : std::nullopt;
  if (form == Form::in_two_rows)
    return shape.size() == 2 && shape[0] == 2 ? std::optional(Extent{2 * shape[1], 1, true}) : std::nullopt;
  if (shape.size() == 1) return Extent{shape[0], 1, true};
  if (shape.size() != (form == Form::with_middle_unit || form == Form::with_taps_last ? 3u : 2u)) return std::nullopt;
  switch (form) {
    case Form::transposed:
      return Extent{shape[1], shape[0], false};
    case Form::with_middle_unit:
      return shape[1] == 1 ? std::optional(Extent{shape[0], shape[2], false}) : std::nullopt;
    case Form::with_taps_last:
      if (shape[2] != entry.taps) return std::nullopt;
      return Extent{shape[0], shape[1] * shape[2], false};
    default:
      return Extent{shape[0], shape[1], false};
  }
}

/// The bytes of the element (row, column) of the whole begin so many elements into theirs.
inline std::size_t place_of(const PlacedEntry& placed, std::uint64_t row, std::uint64_t column) {
  const auto [rows, columns, is_vector] = placed.whole;
  const Form form = is_vector ? Form::same : placed.entry->form;
  if (form == Form::transposed) return memory_size(column * rows + row);
  if (form == Form::with_taps_last) {
    const std::uint64_t taps = placed.entry->taps, features = columns / taps;
    column = column % features * taps + column / features;
  }
  return memory_size(row * columns + column);
}

/// What goes wrong between a map and a model of ours, by the name of a tensor.
[[noreturn]] inline void throw_of_ours(const TensorFile& file, std::string_view name, const std::string& reason) {
  throw_file(file.path, "the map: tensor " + printable(name) + " of ours: " + reason);
}

/// An entry beside the tensors of ours, whose places are in `index`.
inline PlacedEntry place_entry(const TensorFile& ours, const std::map<std::string_view, std::size_t>& index,
                               const MapEntry& entry) {
  PlacedEntry placed;
  placed.entry = &entry;
  for (std::size_t i = 0; i < entry.ours.size(); ++i) {
    const Piece& piece = entry.ours[i];
    const auto found = index.find(piece.name);
    if (found == index.end()) throw_of_ours(ours, piece.name, "there is none, for " + printable(entry.theirs));
    const StoredTensor& tensor = ours.tensors[found->second];
    const Extent extent = extent_of(tensor.shape);
    const auto parts = static_cast<std::uint64_t>(piece.parts);
    if (extent.rows % parts != 0 || tensor.shape.size() > 2)
      throw_of_ours(ours, piece.name,
                    "wanted " + std::to_string(parts) + " equal parts, given " + describe(tensor.dtype, tensor.shape));
    PlacedPiece place{found->second, 0, extent.rows / parts, extent.columns};
    place.first_row = place.rows * static_cast<std::uint64_t>(piece.part);
    if (i == 0) {
      placed.whole = {place.rows, place.columns, extent.is_vector};
      placed.dtype = tensor.dtype;
    } else {
      const bool is_sum = entry.value == Value::sum, down = entry.along == Along::rows;
      if (((is_sum || down) && place.columns != placed.whole.columns) ||
          ((is_sum || !down) && place.rows != placed.whole.rows) || tensor.dtype != placed.dtype)
        throw_of_ours(ours, piece.name,
                      "does not fit the others of " + printable(entry.theirs) + ", given " +
                          describe(tensor.dtype, tensor.shape));
      if (!is_sum) {
        std::uint64_t& extent_along = down ? placed.whole.rows : placed.whole.columns;
        (down ? place.row_offset : place.offset) = extent_along;
        extent_along += down ? place.rows : place.columns;
      }
    }
    placed.pieces.push_back(place);
  }
  if (const auto columns = placed.whole.columns; entry.taps == 0 || columns % entry.taps != 0)
    throw_of_ours(ours, entry.ours[0].name,
                  "wanted columns of " + std::to_string(entry.taps) + " taps, given " + std::to_string(columns));
  placed.shape = shape_of(placed.whole, entry);
  return placed;
}

/// The sizes of the pieces along which they lie: those that the map knows, and of what is left equal shares.
inline std::vector<std::uint64_t> sizes_of_pieces(const TensorFile& theirs, const MapEntry& entry, std::uint64_t all) {
  std::uint64_t known = 0, unknown = 0;
  for (const Piece& piece : entry.ours) {
    known += static_cast<std::uint64_t>(piece.size);
    unknown += piece.size == 0 ? 1 : 0;
  }
  if (known > all || (unknown == 0 ? known != all : (all - known) % unknown != 0))
    throw_file(theirs.path, "tensor " + printable(entry.theirs) + ": wanted " + std::to_string(known) + " and " +
                                std::to_string(unknown) + " equal parts of " +
                                (entry.along == Along::rows ? "rows" : "columns") + ", given " + std::to_string(all));
  std::vector<std::uint64_t> sizes;
  for (const Piece& piece : entry.ours)
    sizes.push_back(piece.size > 0 ? static_cast<std::uint64_t>(piece.size) : (all - known) / unknown);
  return sizes;
}

/// Tensors of ours without values, of the shapes that follow from those of a file.
class Derived {
 public:
  explicit Derived(const TensorFile& theirs) : theirs_(theirs) { ours_.path = theirs.path; }

  void add(const std::string& name, Dtype dtype, const Shape& shape) {
    const auto [place, is_new] = index_.emplace(name, ours_.tensors.size());
    if (!is_new) {
      const StoredTensor& other = ours_.tensors[place->second];
      if (other.shape != shape || other.dtype != dtype)
        throw_of_ours(
            theirs_, name,
            "wanted " + describe(other.dtype, other.shape) + " as in another tensor, given " + describe(dtype, shape));
      return;
    }
    StoredTensor& tensor = ours_.tensors.emplace_back();
    tensor.name = name;
    tensor.dtype = dtype;
    tensor.shape = shape;
    tensor.bytes.resize(memory_size(*byte_count(dtype, shape)));
  }
  /// What an entry is made of, from the shape of its tensor.
  void add(const MapEntry& entry, const StoredTensor& tensor) {
    const auto whole = whole_of(tensor.shape, entry);
    if (!whole)
      throw_file(theirs_.path, "tensor " + printable(entry.theirs) + ": wanted " + form_text(entry) + ", given " +
                                   describe(tensor.dtype, tensor.shape));
    const bool down = entry.along == Along::rows, apart = entry.value != Value::sum;
    const auto sizes = apart ? sizes_of_pieces(theirs_, entry, down ? whole->rows : whole->columns)
                             : std::vector<std::uint64_t>(entry.ours.size(), whole->rows);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const std::uint64_t rows = (down ? sizes[i] : whole->rows) * static_cast<std::uint64_t>(entry.ours[i].parts);
      const std::uint64_t columns = down ? whole->columns : sizes[i];
      add(entry.ours[i].name, tensor.dtype, whole->is_vector ? Shape{rows} : Shape{rows, columns});
    }
  }
  const StoredTensor* find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &ours_.tensors[found->second];
  }
  TensorFile take() { return std::move(ours_); }

 private:
  static std::string form_text(const MapEntry& entry) {
    if (entry.form == Form::flat) return "a vector";
    if (entry.form == Form::in_two_rows) return "(2, columns)";
    if (entry.form == Form::with_middle_unit) return "a vector, or (rows, 1, columns)";
    if (entry.form == Form::with_taps_last) return "a vector, or (rows, columns, " + std::to_string(entry.taps) + ")";
    return "a vector or a matrix";
  }

  const TensorFile& theirs_;
  TensorFile ours_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace minrnn::detail
