// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/atomic_file.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The header of a safetensors file, which is JSON, both ways.
namespace minrnn::detail {

inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // as in the reference implementation
inline constexpr std::string_view kMetadata = "__metadata__";

/// Where a tensor lies in the data.
struct ByteRange {
  std::uint64_t begin = 0, end = 0;
};

/// Takes the header apart while it is parsed (nlohmann's SAX interface): nothing that does not belong there is ever
/// kept, and duplicate keys, which a parsed document no longer has, are seen.
class HeaderParser {
  using Json = nlohmann::json;

 public:
  HeaderParser(TensorFile& file, std::vector<ByteRange>& ranges) : file_(file), ranges_(ranges) {}

  bool null() {  // as metadata: none
    return (place_ == Place::names && name_ == kMetadata) || unexpected("null");
  }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool number_integer(Json::number_integer_t) { return unexpected("a negative number"); }
  bool number_float(Json::number_float_t, const Json::string_t& text) {
    const bool whole = text.find_first_of(".eE") == Json::string_t::npos;
    return unexpected((whole ? "a number beyond 64 bits: " : "a number with a fraction or an exponent: ") +
                      printable(text));
  }
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
      set_dtype(text);
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
    fail("not JSON: " + printable(error.what()));
  }

 private:
  enum class Place { before, names, tensor, list, metadata, after };

  void set_dtype(const std::string& text) {
    const auto dtype = dtype_of_text(text);
    if (!dtype) fail(where() + ": wanted a type as F32, given " + printable(text));
    tensor().dtype = *dtype;
    if (*dtype == Dtype::other) tensor().other = text;
  }

  StoredTensor& tensor() { return file_.tensors.back(); }
  std::string where() const { return printable(name_) + (key_.empty() ? "" : "." + printable(key_)); }
  [[noreturn]] void fail(const std::string& reason) const { throw_file(file_.path, "header: " + reason); }
  [[noreturn]] bool unexpected(const std::string& what) const {
    fail((place_ == Place::before ? "no object" : where()) + ": not expected: " + what);
  }

  TensorFile& file_;
  std::vector<ByteRange>& ranges_;
  Place place_ = Place::before;
  std::string name_, key_;              // of what is being parsed
  std::set<std::string> names_, keys_;  // seen so far: all names, the keys of this object
  std::vector<std::uint64_t> list_;
};

/// The tensors and the metadata that a header names, into `file`; gives the place of each tensor in the data.
inline std::vector<ByteRange> parse_header(const std::string& text, TensorFile& file) {
  if (!text.starts_with('{')) throw_file(file.path, "header: no object: the first byte is not '{'");
  // The parser would take a zero for the end of the text.
  if (text.find('\0') != std::string::npos) throw_file(file.path, "header: not JSON: a zero byte");
  std::vector<ByteRange> ranges;
  HeaderParser parser(file, ranges);
  nlohmann::json::sax_parse(text.begin(), text.end(), &parser);
  return ranges;
}

/// Checks that the tensors cover `size` bytes of data without a hole or an overlap; gives their order in the file.
inline std::vector<std::size_t> check_ranges(const TensorFile& file, const std::vector<ByteRange>& ranges,
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
      throw_file(file.path, "tensor " + printable(tensor.name) + ": data_offsets [" + std::to_string(first) + ", " +
                                std::to_string(last) + "]: " + reason);
    };
    if (begin > end) fail("end before begin");
    if (end > size) fail("beyond the end of the data, " + std::to_string(size) + " bytes");
    if (begin < covered) fail("overlap with the tensor before");
    if (begin > covered) fail("a hole before, from " + std::to_string(covered));
    covered = end;
    if (tensor.dtype == Dtype::other) continue;
    const auto wanted = byte_count(tensor.dtype, tensor.shape);
    if (wanted != end - begin)
      fail("wanted " + (wanted ? std::to_string(*wanted) : std::string("more than 2^64")) + " bytes for " +
           describe(tensor));
  }
  if (covered != size)
    throw_file(file.path, std::to_string(size - covered) + " bytes after the last tensor, which belong to none");
  return order;
}

/// A name or a value of the metadata as JSON.
inline std::string quoted_text(std::string_view where, const std::string& text) {
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(utf8_length(rest)))
    if (utf8_length(rest) == 0) throw_argument(where, "names and metadata", "UTF-8", printable(text));
  return nlohmann::json(text).dump();
}

/// The header that names the tensors in their order, padded to 8 bytes.
inline std::string header_of(const TensorFile& file) {
  constexpr std::string_view kWhere = "write_safetensors";
  const auto quoted = [&](const std::string& text) { return quoted_text(kWhere, text); };
  std::string header = "{";
  const auto begin_entry = [&](const std::string& name) {
    if (header.size() > 1) header += ',';
    header += quoted(name) + ":{";
  };
  if (!file.metadata.empty()) {
    begin_entry(std::string(kMetadata));
    for (bool first = true; const auto& [key, value] : file.metadata) {
      header += (first ? "" : ",") + quoted(key) + ":" + quoted(value);
      first = false;
    }
    header += "}";
  }
  std::uint64_t offset = 0;
  std::set<std::string_view> names;
  for (const StoredTensor& tensor : file.tensors) {
    check_that(tensor.name != kMetadata, kWhere, "name", "any but the reserved", tensor.name);
    if (!names.insert(tensor.name).second)
      throw_argument(kWhere, "names", "no name twice", printable(tensor.name) + " twice");
    if (tensor.dtype == Dtype::other && dtype_of_text(tensor.other) != Dtype::other)
      throw_argument(kWhere, printable(tensor.name), "the name of another type, as F8_E4M3", printable(tensor.other));
    const std::uint64_t size = tensor.bytes.size();
    if (!has_its_bytes(tensor))
      throw_argument(kWhere, printable(tensor.name), "the bytes of " + describe(tensor),
                     std::to_string(size) + " bytes");
    begin_entry(tensor.name);
    header += "\"dtype\":\"" + std::string(dtype_text(tensor)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i)
      header += (i == 0 ? "" : ",") + std::to_string(tensor.shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + size) + "]}";
    offset += size;
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  check_that(header.size() <= kMostHeaderBytes, kWhere, "header", "at most 100 MB", static_cast<Index>(header.size()));
  return header;
}

}  // namespace minrnn::detail
