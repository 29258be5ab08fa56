// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
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
#include "minrnn/io/tensor_bytes.hpp"

namespace minrnn {

/// What the numbers of a tensor are. `other` is any type that nothing here computes with, as F8_E4M3: such a tensor is
/// listed, skipped, and written again as it was read.
enum class Dtype { f32, f64, i64, u64, f16, bf16, i8, i16, i32, u8, u16, u32, boolean, other };

/// A tensor as a file holds it: last dimension fastest, little-endian. No dimensions at all is one number.
struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::uint64_t> shape;
  TensorBytes bytes;
  std::string other{};  // where the type is none of the above: what the file calls it
};

/// What a safetensors file holds, or several that belong together.
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
inline constexpr std::array<DtypeEntry, 13> kDtypes{{{Dtype::f32, "F32", 4},
                                                     {Dtype::f64, "F64", 8},
                                                     {Dtype::i64, "I64", 8},
                                                     {Dtype::u64, "U64", 8},
                                                     {Dtype::f16, "F16", 2},
                                                     {Dtype::bf16, "BF16", 2},
                                                     {Dtype::i8, "I8", 1},
                                                     {Dtype::i16, "I16", 2},
                                                     {Dtype::i32, "I32", 4},
                                                     {Dtype::u8, "U8", 1},
                                                     {Dtype::u16, "U16", 2},
                                                     {Dtype::u32, "U32", 4},
                                                     {Dtype::boolean, "BOOL", 1}}};

/// Of a type that is known, so not of `other`.
inline const DtypeEntry& dtype_entry(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)]; }

inline std::string_view dtype_text(Dtype dtype) {
  return dtype == Dtype::other ? "another type" : dtype_entry(dtype).text;
}
inline std::string_view dtype_text(const StoredTensor& tensor) {
  return tensor.dtype == Dtype::other ? std::string_view(tensor.other) : dtype_text(tensor.dtype);
}

/// The type of this name: `other` for one that could be a type, as all of the format are capitals, digits and
/// underscores; none for any other text.
inline std::optional<Dtype> dtype_of_text(std::string_view text) {
  const auto entry = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& e) { return e.text == text; });
  if (entry != kDtypes.end()) return entry->dtype;
  constexpr std::size_t kMost = 32;
  const auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  if (text.empty() || text.size() > kMost || !std::all_of(text.begin(), text.end(), fits)) return std::nullopt;
  return Dtype::other;
}

/// What a file may hold beside what it was asked to hold: see minrnn/io/self_test.hpp.
inline constexpr std::string_view kSelfTestInput = "__self_test__/input", kSelfTestOutput = "__self_test__/output";
inline bool is_self_test(std::string_view name) { return name == kSelfTestInput || name == kSelfTestOutput; }

/// The size of a tensor of a type that is known, or none where it is beyond 64 bits.
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
inline std::string describe(std::string_view type, const std::vector<std::uint64_t>& shape) {
  std::string sizes;
  for (const std::uint64_t size : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return printable(type) + " (" + printable(sizes) + ")";
}
inline std::string describe(Dtype dtype, const std::vector<std::uint64_t>& shape) {
  return describe(dtype_text(dtype), shape);
}

/// True where a tensor has the bytes that its type and shape want. How many that is of another type is not known.
inline bool has_its_bytes(const StoredTensor& tensor) {
  return tensor.dtype == Dtype::other || byte_count(tensor.dtype, tensor.shape) == tensor.bytes.size();
}

}  // namespace detail

/// What a tensor is, as "F32 (7, 5)".
inline std::string describe(const StoredTensor& tensor) {
  return detail::describe(detail::dtype_text(tensor), tensor.shape);
}

}  // namespace minrnn
