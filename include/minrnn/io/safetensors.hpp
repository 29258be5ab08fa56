// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "minrnn/io/atomic_file.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/safetensors_header.hpp"
#include "minrnn/io/sharded_index.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_bytes.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace minrnn {

namespace detail {

/// An integer of the file, least byte first.
inline std::array<unsigned char, 8> little_endian(std::uint64_t n) {
  std::array<unsigned char, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(n >> (8 * i));
  return bytes;
}

}  // namespace detail

namespace detail {

/// One file, whatever its name.
inline TensorFile read_one_file(const std::filesystem::path& path, FileAccess access) {
  TensorFile file;
  file.path = path;
  InputFile in(path);
  if (in.size() < 8) throw_file(path, "no header: " + std::to_string(in.size()) + " bytes, wanted at least 8");
  std::array<unsigned char, 8> prefix;
  in.read(prefix.data(), prefix.size());
  std::uint64_t header_size = 0;
  for (std::size_t i = 8; i-- > 0;) header_size = header_size << 8 | prefix[i];
  const std::uint64_t rest = in.size() - 8;
  if (header_size > kMostHeaderBytes)
    throw_file(path, "header: " + std::to_string(header_size) + " bytes, above the limit of " +
                         std::to_string(kMostHeaderBytes));
  if (header_size > rest)
    throw_file(path, "truncated: a header of " + std::to_string(header_size) + " bytes, of which " +
                         std::to_string(rest) + " are there");
  std::string header(memory_size(header_size), '\0');
  in.read(header.data(), header_size);
  const auto ranges = parse_header(header, file);
  const auto order = check_ranges(file, ranges, rest - header_size);
  const auto mapped = access == FileAccess::map ? in.map() : nullptr;
  for (const std::size_t i : order) {
    const std::size_t size = memory_size(ranges[i].end - ranges[i].begin);
    TensorBytes& bytes = file.tensors[i].bytes;
    if (mapped != nullptr) {
      bytes = TensorBytes(mapped, {mapped.get() + memory_size(8 + header_size + ranges[i].begin), size});
    } else {
      bytes.resize(size);
      in.read(bytes.data(), size);
    }
  }
  return file;
}

/// Throws for the first tensor that an index names and its file lacks.
[[noreturn]] inline void throw_missing(const TensorFile& all, const ShardedIndex& index) {
  std::set<std::string_view> there;
  for (const StoredTensor& tensor : all.tensors) there.insert(tensor.name);
  const auto missing = std::find_if(index.weight_map.begin(), index.weight_map.end(),
                                    [&](const auto& entry) { return !there.contains(entry.first); });
  throw_file(all.path, "index: tensor " + printable(missing->first) + " is not in " + printable(missing->second));
}

/// All files that an index names, as one.
inline TensorFile read_shards(const std::filesystem::path& path, FileAccess access) {
  TensorFile all;
  all.path = path;
  ShardedIndex index = read_index(path);
  all.metadata = std::move(index.metadata);
  std::set<std::filesystem::path> shards;
  for (const auto& [name, shard] : index.weight_map) shards.insert(shard_path(path, shard));
  for (const auto& shard : shards) {
    TensorFile file = read_one_file(shard, access);
    for (StoredTensor& tensor : file.tensors) {
      const auto entry = index.weight_map.find(tensor.name);
      const bool is_named = entry != index.weight_map.end();
      if (!is_named || shard_path(path, entry->second) != shard)
        throw_file(path, "index: tensor " + printable(tensor.name) + " is in " + printable(shard.filename().string()) +
                             (is_named ? ", the index says in " + printable(entry->second) : ", the index lacks it"));
      all.tensors.push_back(std::move(tensor));
    }
  }
  if (all.tensors.size() != index.weight_map.size()) throw_missing(all, index);
  return all;
}

}  // namespace detail

/// Reads a whole safetensors file, or, where the name ends in ".index.json" as Hugging Face's
/// model.safetensors.index.json does, all files that this index names, which are in its folder or below. Strict: every
/// byte of the data belongs to exactly one tensor, no name or key is there twice, nothing is unknown but the types of
/// tensors (Dtype::other); each tensor of an index is in the file that it says, and in no other. No allocation is
/// larger than the file gives reason for. The metadata of an index are its own texts and numbers.
///
/// Format  8 bytes length n, little-endian; n bytes JSON {name: {"dtype", "shape", "data_offsets": [begin, end]}, ...,
///         "__metadata__": {string: string} or null}, padded with spaces; the data, to which the offsets refer
/// Throws  std::runtime_error with the path and the reason
/// Source  https://github.com/huggingface/safetensors, "Format"
inline TensorFile read_safetensors(const std::filesystem::path& path, FileAccess access = FileAccess::copy) {
  const bool is_index = path.extension() == ".json" && path.stem().extension() == ".index";
  return is_index ? detail::read_shards(path, access) : detail::read_one_file(path, access);
}

/// Writes a safetensors file, the tensors in their order, as `AtomicFile` does: a reader sees all of it or what was
/// there before. The same contents are always the same bytes.
///
/// Throws  std::invalid_argument for a name that is there twice or reserved, bytes that do not fit the shape, text that
///         is not UTF-8; std::runtime_error with the path and the reason where writing fails
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  const std::string header = detail::header_of(file);
  AtomicFile out(path);
  const auto prefix = detail::little_endian(header.size());
  out.write(prefix.data(), prefix.size());
  out.write(header.data(), header.size());
  for (const StoredTensor& tensor : file.tensors) out.write(tensor.bytes.data(), tensor.bytes.size());
  out.commit();
}

}  // namespace minrnn
