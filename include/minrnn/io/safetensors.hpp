// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "minrnn/io/atomic_file.hpp"
#include "minrnn/io/safetensors_header.hpp"
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

/// Reads a whole safetensors file. Strict: every byte of the data belongs to exactly one tensor, no name or key is
/// there twice, nothing is unknown. No allocation is larger than the file gives reason for.
///
/// Format  8 bytes length n, little-endian; n bytes JSON {name: {"dtype", "shape", "data_offsets": [begin, end]}, ...,
///         "__metadata__": {string: string} or null}, padded with spaces; the data, to which the offsets refer
/// Throws  std::runtime_error with the path and the reason
/// Source  https://github.com/huggingface/safetensors, "Format"
inline TensorFile read_safetensors(const std::filesystem::path& path) {
  TensorFile file;
  file.path = path;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    detail::throw_file(path, "cannot be read: " + (error ? error.message() : std::string("no such file")));
  if (!std::filesystem::is_regular_file(status)) detail::throw_file(path, "cannot be read: not a regular file");
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) detail::throw_file(path, "cannot be read: " + detail::error_text(errno));
  const std::streamoff length = in.tellg();  // of what was opened, whatever has the name by now
  if (length < 8) detail::throw_file(path, "no header: " + std::to_string(length) + " bytes, wanted at least 8");
  if (static_cast<std::uint64_t>(length) > static_cast<std::uint64_t>((std::numeric_limits<std::ptrdiff_t>::max)()))
    detail::throw_file(path, "larger than the memory of this machine can be");
  in.seekg(0);
  const auto read = [&](void* to, std::uint64_t count) {
    if (count > 0 && !in.read(static_cast<char*>(to), static_cast<std::streamsize>(count)))
      detail::throw_file(path, "cannot be read: " + detail::error_text(errno));
  };

  std::array<unsigned char, 8> prefix;
  read(prefix.data(), prefix.size());
  std::uint64_t header_size = 0;
  for (std::size_t i = 8; i-- > 0;) header_size = header_size << 8 | prefix[i];
  const std::uint64_t rest = static_cast<std::uint64_t>(length) - 8;
  if (header_size > detail::kMostHeaderBytes)
    detail::throw_file(path, "header: " + std::to_string(header_size) + " bytes, above the limit of " +
                                 std::to_string(detail::kMostHeaderBytes));
  if (header_size > rest)
    detail::throw_file(path, "truncated: a header of " + std::to_string(header_size) + " bytes, of which " +
                                 std::to_string(rest) + " are there");
  std::string header(detail::memory_size(header_size), '\0');
  read(header.data(), header_size);
  const auto ranges = detail::parse_header(header, file);
  for (const std::size_t i : detail::check_ranges(file, ranges, rest - header_size)) {
    file.tensors[i].bytes.resize(detail::memory_size(ranges[i].end - ranges[i].begin));
    read(file.tensors[i].bytes.data(), file.tensors[i].bytes.size());
  }
  return file;
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
