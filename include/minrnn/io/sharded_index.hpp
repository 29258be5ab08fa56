// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "minrnn/io/input_file.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The index of a model that is in several files.
namespace minrnn::detail {

/// What such an index says.
struct ShardedIndex {
  std::map<std::string, std::string> weight_map;  // from the name of a tensor to that of its file
  std::map<std::string, std::string> metadata;    // its texts and whole numbers, as "total_size"
};

/// Takes an index apart while it is parsed, as `HeaderParser` does a header. What is neither weight_map nor metadata is
/// skipped: others may say more.
class IndexParser {
  using Json = nlohmann::json;

 public:
  IndexParser(const std::filesystem::path& path, ShardedIndex& index) : path_(path), index_(index) {}

  bool null() { return other("null"); }
  bool boolean(bool) { return other("a boolean"); }
  bool number_integer(Json::number_integer_t number) { return number_text("a number", std::to_string(number)); }
  bool number_unsigned(Json::number_unsigned_t number) { return number_text("a number", std::to_string(number)); }
  bool number_float(Json::number_float_t, const Json::string_t&) { return other("a number"); }
  bool binary(Json::binary_t&) { return other("binary data"); }
  bool string(Json::string_t& text) {
    if (skipped_ > 0) return true;
    if (place_ == Place::weight_map)
      index_.weight_map[key_] = std::move(text);
    else if (place_ == Place::metadata)
      index_.metadata[key_] = std::move(text);
    else
      other("a string");
    return true;
  }
  bool start_object(std::size_t) {
    if (skipped_ == 0 && place_ == Place::before)
      place_ = Place::top;
    else if (skipped_ == 0 && place_ == Place::top && key_ == "weight_map")
      place_ = Place::weight_map;
    else if (skipped_ == 0 && place_ == Place::top && key_ == "metadata")
      place_ = Place::metadata;
    else
      skip("an object");
    return true;
  }
  bool start_array(std::size_t) { return skip("an array"); }
  bool end_array() {
    --skipped_;
    return true;
  }
  bool end_object() {
    if (skipped_ > 0)
      --skipped_;
    else
      place_ = place_ == Place::top ? Place::after : Place::top;
    return true;
  }
  bool key(Json::string_t& key) {
    if (skipped_ > 0) return true;
    key_ = std::move(key);
    if (place_ == Place::top && !seen_.insert(key_).second) fail(printable(key_) + ": duplicate key");
    if (place_ == Place::weight_map && index_.weight_map.contains(key_))
      fail("tensor " + printable(key_) + " is there twice");
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    fail("not JSON: " + printable(error.what()));
  }

 private:
  enum class Place { before, top, weight_map, metadata, after };

  [[noreturn]] void fail(const std::string& reason) const { throw_file(path_, "index: " + reason); }

  /// A value that nobody asks for, which weight_map has no place for.
  bool other(const std::string& what) const {
    if (skipped_ > 0 || place_ == Place::metadata) return true;
    if (place_ == Place::weight_map || place_ == Place::before || key_ == "weight_map" || key_ == "metadata")
      fail((place_ == Place::before ? "no object" : printable(key_)) + ": not expected: " + what);
    return true;
  }
  bool number_text(const std::string& what, std::string digits) {
    if (skipped_ == 0 && place_ == Place::metadata)
      index_.metadata[key_] = std::move(digits);
    else
      other(what);
    return true;
  }
  bool skip(const std::string& what) {
    other(what);
    ++skipped_;
    return true;
  }

  const std::filesystem::path& path_;
  ShardedIndex& index_;
  Place place_ = Place::before;
  std::string key_;             // of what is being parsed
  std::set<std::string> seen_;  // keys of the index
  std::size_t skipped_ = 0;     // how deep in what is skipped
};

/// The path of a shard that an index names: in the folder of the index or below. A link is followed wherever it leads,
/// as whoever made the folder wants it; the text of an index, which came with the weights, may not lead out of it.
inline std::filesystem::path shard_path(const std::filesystem::path& index, const std::string& name) {
  const std::filesystem::path shard(std::u8string(name.begin(), name.end()));
  const auto fail = [&](const std::string& reason) {
    throw_file(index, "index: file " + printable(name) + ": " + reason);
  };
  if (name.empty() || name.find('\0') != std::string::npos) fail("not the name of a file");
  if (shard.has_root_path()) fail("it leaves the folder of the index");
  for (const auto& part : shard)
    if (part == "..") fail("it leaves the folder of the index");
  return index.parent_path() / shard.lexically_normal();
}

/// The index in a file, with the paths of the shards for their names.
///
/// Format  JSON {"weight_map": {name of a tensor: name of its file, ...}, "metadata": {...}}
/// Source  https://huggingface.co/docs/safetensors, and huggingface_hub, "Split state dict into shards"
inline ShardedIndex read_index(const std::filesystem::path& path) {
  constexpr std::uint64_t kMost = 100'000'000;  // as a header
  InputFile in(path);
  if (in.size() > kMost)
    throw_file(path, "index: " + std::to_string(in.size()) + " bytes, above the limit of " + std::to_string(kMost));
  const std::string text = in.read_all();
  // The parser would take a zero for the end of the text.
  if (text.find('\0') != std::string::npos) throw_file(path, "index: not JSON: a zero byte");
  ShardedIndex index;
  IndexParser parser(path, index);
  nlohmann::json::sax_parse(text.begin(), text.end(), &parser);
  if (index.weight_map.empty()) throw_file(path, "index: no weight_map, or an empty one");
  return index;
}

}  // namespace minrnn::detail
