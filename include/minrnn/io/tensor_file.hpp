// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "minrnn/io/printable.hpp"

namespace minrnn {

enum class Dtype { f32, f64, i64, u64 };

/// A tensor as a file holds it: last dimension fastest, little-endian. No dimensions at all is one number.
struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::uint64_t> shape;
  std::vector<std::byte> bytes;
};

/// What a safetensors file holds.
struct TensorFile {
  std::vector<StoredTensor> tensors;  // in the order of the header
  std::map<std::string, std::string> metadata;
  std::filesystem::path path;  // where it was read from, for messages
};

namespace detail {

struct DtypeEntry {
  Dtype dtype;
  std::string_view text;
  std::uint64_t size;
};
inline constexpr std::array<DtypeEntry, 4> kDtypes{
    {{Dtype::f32, "F32", 4}, {Dtype::f64, "F64", 8}, {Dtype::i64, "I64", 8}, {Dtype::u64, "U64", 8}}};

inline const DtypeEntry& dtype_entry(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)]; }

/// A size that a file has, as one that memory has. A cast would be one to the same type on most machines.
inline std::size_t memory_size(std::uint64_t size) { return size & (std::numeric_limits<std::size_t>::max)(); }

/// The size of a tensor, or none where it is beyond 64 bits.
inline std::optional<std::uint64_t> byte_count(Dtype dtype, const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = dtype_entry(dtype).size;
  bool empty = false;
  for (const std::uint64_t size : shape) {
    empty |= size == 0;
    if (size == 0) continue;
    if (count > (std::numeric_limits<std::uint64_t>::max)() / size) return std::nullopt;
    count *= size;
  }
  return empty ? 0 : count;
}

/// A number of bytes that are known to fit in memory. A template, as where the types are one a cast is warned of.
template <class Size = std::size_t>
Size memory_size(std::uint64_t bytes) {
  return static_cast<Size>(bytes);
}

/// "F32 (7, 5)"
inline std::string describe(Dtype dtype, const std::vector<std::uint64_t>& shape) {
  std::string sizes;
  for (const std::uint64_t size : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return std::string(dtype_entry(dtype).text) + " (" + printable(sizes) + ")";
}

}  // namespace detail

}  // namespace minrnn
