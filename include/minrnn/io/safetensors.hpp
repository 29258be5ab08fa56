// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "minrnn/core/check.hpp"
#include "minrnn/io/atomic_file.hpp"

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

inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // as in the reference implementation
inline constexpr std::string_view kMetadata = "__metadata__";

/// The size of a tensor, or none where it is beyond 64 bits.
inline std::optional<std::uint64_t> byte_count(Dtype dtype, const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = dtype_entry(dtype).size;
  bool empty = false;
  for (const std::uint64_t size : shape) {
    empty |= size == 0;
    if (size == 0) continue;
    if (count > std::numeric_limits<std::uint64_t>::max() / size) return std::nullopt;
    count *= size;
  }
  return empty ? 0 : count;
}

/// "F32 (7, 5)"
inline std::string describe(Dtype dtype, const std::vector<std::uint64_t>& shape) {
  std::string sizes;
  for (const std::uint64_t size : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return std::string(dtype_entry(dtype).text) + " (" + sizes + ")";
}

/// Takes the header apart while it is parsed (nlohmann's SAX interface): nothing that does not belong there is ever kept,
/// and duplicate keys, which a parsed document no longer has, are seen.
class HeaderParser {
  using Json = nlohmann::json;

 public:
  struct Range {
    std::uint64_t begin = 0, end = 0;
  };

  HeaderParser(TensorFile& file, std::vector<Range>& ranges) : file_(file), ranges_(ranges) {}

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool number_integer(Json::number_integer_t) { return unexpected("a negative number"); }
  bool number_float(Json::number_float_t, const Json::string_t&) { return unexpected("a number beyond 64 bits"); }
  bool binary(Json::binary_t&) { return unexpected("binary data"); }
  bool number_unsigned(Json::number_unsigned_t number) {
    if (place_ != Place::list) unexpected("a number");
    list_.push_back(number);
    return true;
  }
  bool string(Json::string_t& text) {
    if (place_ == Place::metadata) {
      file_.metadata[key_] = std::move(text);
    } else if (place_ == Place::tensor && key_ == "dtype") {
      const auto* entry = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& e) { return e.text == text; });
      if (entry == kDtypes.end()) fail(where() + ": wanted F32, F64, I64 or U64, given " + text);
      tensor().dtype = entry->dtype;
    } else {
      unexpected("a string");
    }
    return true;
  }
  bool start_object(std::size_t) {
    if (place_ == Place::before) {
      place_ = Place::names;
    } else if (place_ == Place::names && name_ == kMetadata) {
      place_ = Place::metadata;
      keys_.clear();
    } else if (place_ == Place::names) {
      place_ = Place::tensor;
      keys_.clear();
      file_.tensors.emplace_back().name = name_;
      ranges_.emplace_back();
    } else {
      unexpected("an object");
    }
    return true;
  }
  bool key(Json::string_t& key) {
    if (place_ == Place::names) {
      name_ = std::move(key);
      key_.clear();
      if (!names_.insert(name_).second) fail(where() + ": duplicate name");
      return true;
    }
    key_ = std::move(key);
    if (place_ == Place::tensor && key_ != "dtype" && key_ != "shape" && key_ != "data_offsets")
      fail(where() + ": unknown key");
    if (!keys_.insert(key_).second) fail(where() + ": duplicate key");
    return true;
  }
  bool start_array(std::size_t) {
    if (place_ != Place::tensor || (key_ != "shape" && key_ != "data_offsets")) unexpected("an array");
    place_ = Place::list;
    list_.clear();
    return true;
  }
  bool end_array() {
    place_ = Place::tensor;
    if (key_ == "shape") {
      tensor().shape = list_;
    } else {
      if (list_.size() != 2) fail(where() + ": wanted 2 numbers, given " + std::to_string(list_.size()));
      ranges_.back() = {list_[0], list_[1]};
    }
    return true;
  }
  bool end_object() {
    if (place_ == Place::tensor && keys_.size() != 3) {
      key_.clear();
      fail(where() + ": wanted dtype, shape and data_offsets, given " + std::to_string(keys_.size()) + " of these");
    }
    place_ = place_ == Place::names ? Place::after : Place::names;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    fail(std::string("not JSON: ") + error.what());
  }

 private:
  enum class Place { before, names, tensor, list, metadata, after };

  StoredTensor& tensor() { return file_.tensors.back(); }
  std::string where() const { return name_ + (key_.empty() ? "" : "." + key_); }
  [[noreturn]] void fail(const std::string& reason) const { throw_file(file_.path, "header: " + reason); }
  [[noreturn]] bool unexpected(const std::string& what) const {
    fail((place_ == Place::before ? "no object" : where()) + ": not expected: " + what);
  }

  TensorFile& file_;
  std::vector<Range>& ranges_;
  Place place_ = Place::before;
  std::string name_, key_;              // of what is being parsed
  std::set<std::string> names_, keys_;  // seen so far: all names, the keys of this object
  std::vector<std::uint64_t> list_;
};

/// Checks that the tensors cover `size` bytes of data without a hole or an overlap; gives their order in the file.
inline std::vector<std::size_t> check_ranges(const TensorFile& file, const std::vector<HeaderParser::Range>& ranges,
                                             std::uint64_t size) {
  std::vector<std::size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return std::pair(ranges[i].begin, ranges[i].end) < std::pair(ranges[j].begin, ranges[j].end);
  });
  std::uint64_t covered = 0;
  for (const std::size_t i : order) {
    const auto [begin, end] = ranges[i];
    const StoredTensor& tensor = file.tensors[i];
    const auto fail = [&, first = begin, last = end](const std::string& reason) {
      throw_file(file.path, "tensor " + tensor.name + ": data_offsets [" + std::to_string(first) + ", " +
                                std::to_string(last) + "]: " + reason);
    };
    if (begin > end) fail("end before begin");
    if (end > size) fail("beyond the end of the data, " + std::to_string(size) + " bytes");
    if (begin < covered) fail("overlap with the tensor before");
    if (begin > covered) fail("a hole before, from " + std::to_string(covered));
    const auto wanted = byte_count(tensor.dtype, tensor.shape);
    if (wanted != end - begin)
      fail("wanted " + (wanted ? std::to_string(*wanted) : std::string("more than 2^64")) + " bytes for " +
           describe(tensor.dtype, tensor.shape));
    covered = end;
  }
  if (covered != size)
    throw_file(file.path, std::to_string(size - covered) + " bytes after the last tensor, which belong to none");
  return order;
}

/// An integer of the file, least byte first.
inline std::array<unsigned char, 8> little_endian(std::uint64_t n) {
  std::array<unsigned char, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(n >> (8 * i));
  return bytes;
}

}  // namespace detail

/// Reads a whole safetensors file. Strict: every byte of the data belongs to exactly one tensor, no name or key is there
/// twice, nothing is unknown. No allocation is larger than the file gives reason for.
///
/// Format  8 bytes length n, little-endian; n bytes JSON {name: {"dtype", "shape", "data_offsets": [begin, end]}, ...,
///         "__metadata__": {string: string}}, padded with spaces; the data, to which the offsets refer
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
  if (static_cast<std::uint64_t>(length) > static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max()))
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
  std::string header(static_cast<std::size_t>(header_size), '\0');
  read(header.data(), header_size);
  if (!header.starts_with('{')) detail::throw_file(path, "header: no object: the first byte is not '{'");
  // The parser would take a zero for the end of the text.
  if (header.find('\0') != std::string::npos) detail::throw_file(path, "header: not JSON: a zero byte");

  std::vector<detail::HeaderParser::Range> ranges;
  detail::HeaderParser parser(file, ranges);
  nlohmann::json::sax_parse(header.begin(), header.end(), &parser);
  for (const std::size_t i : detail::check_ranges(file, ranges, rest - header_size)) {
    file.tensors[i].bytes.resize(static_cast<std::size_t>(ranges[i].end - ranges[i].begin));
    read(file.tensors[i].bytes.data(), file.tensors[i].bytes.size());
  }
  return file;
}

/// Writes a safetensors file, the tensors in their order, as `AtomicFile` does: a reader sees all of it or what was there
/// before. The same contents are always the same bytes.
///
/// Throws  std::invalid_argument for a name that is there twice or reserved, bytes that do not fit the shape, text that is
///         not UTF-8; std::runtime_error with the path and the reason where writing fails
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  constexpr std::string_view kWhere = "write_safetensors";
  const auto quoted = [&](const std::string& text) {
    try {
      return nlohmann::json(text).dump();
    } catch (const nlohmann::json::type_error&) {
      detail::throw_argument(kWhere, "names and metadata", "UTF-8",
                             nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
    }
  };
  std::string header = "{";
  const auto begin_entry = [&](const std::string& name) {
    if (header.size() > 1) header += ',';
    header += quoted(name) + ":{";
  };
  if (!file.metadata.empty()) {
    begin_entry(std::string(detail::kMetadata));
    for (bool first = true; const auto& [key, value] : file.metadata) {
      header += (first ? "" : ",") + quoted(key) + ":" + quoted(value);
      first = false;
    }
    header += "}";
  }
  std::uint64_t offset = 0;
  std::set<std::string_view> names;
  for (const StoredTensor& tensor : file.tensors) {
    detail::check(tensor.name != detail::kMetadata, kWhere, "name", "any but the reserved", tensor.name);
    detail::check(names.insert(tensor.name).second, kWhere, "names", "no name twice", tensor.name);
    const auto wanted = detail::byte_count(tensor.dtype, tensor.shape);
    if (wanted != tensor.bytes.size())
      detail::throw_argument(kWhere, tensor.name, "the bytes of " + detail::describe(tensor.dtype, tensor.shape),
                             std::to_string(tensor.bytes.size()) + " bytes");
    begin_entry(tensor.name);
    header += "\"dtype\":\"" + std::string(detail::dtype_entry(tensor.dtype).text) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i)
      header += (i == 0 ? "" : ",") + std::to_string(tensor.shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + *wanted) + "]}";
    offset += *wanted;
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  detail::check(header.size() <= detail::kMostHeaderBytes, kWhere, "header", "at most 100 MB",
                static_cast<Index>(header.size()));

  AtomicFile out(path);
  const auto prefix = detail::little_endian(header.size());
  out.write(prefix.data(), prefix.size());
  out.write(header.data(), header.size());
  for (const StoredTensor& tensor : file.tensors) out.write(tensor.bytes.data(), tensor.bytes.size());
  out.commit();
}

}  // namespace minrnn
