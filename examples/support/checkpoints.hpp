// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "minrnn/core/types.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/tensor_file.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"

namespace tool {

using Metadata = std::map<std::string, std::string>;

/// The largest of all sizes; products of three stay far from overflow.
inline constexpr minrnn::Index kMostSize = 1 << 20;

/// The shortest text that reads back as the same number.
inline std::string number_text(double x) {
#ifdef __cpp_lib_to_chars
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
#else
  return nlohmann::json(x).dump();
#endif
}

/// Whether all of a text is a number, which is read as in any locale.
template <class T>
bool read_number(const std::string& text, T& number) {
#ifndef __cpp_lib_to_chars  // libraries without it read whole numbers alone
  if constexpr (std::is_floating_point_v<T>) {
    const auto parsed = nlohmann::json::parse(text, nullptr, false);
    if (parsed.is_number()) number = parsed.get<T>();
    return parsed.is_number();
  } else
#endif
  {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
  }
}

/// What a file says of itself as a checkpoint of this program. Throws InputError where it does not say it, or cannot be
/// what it says.
class MetadataReader {
 public:
  explicit MetadataReader(const minrnn::TensorFile& file)
      : metadata_(file.metadata),
        refused_(shown(file.path.string()) + ": is not a checkpoint of " + program_name + ": ") {}

  const std::string& text(const std::string& key) const {
    const auto entry = metadata_.find(key);
    if (entry == metadata_.end()) throw InputError(refused_ + "its metadata lack \"" + key + "\"");
    return entry->second;
  }
  template <class T>
  T number(const std::string& key, T least, T most) const {
    T result = least;
    if (!read_number(text(key), result) || !(result >= least && result <= most)) refuse(key);
    return result;
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& reason = "") const {
    throw InputError(refused_ + "its metadata have " + key + " \"" + minrnn::printable(text(key)) + "\"" + reason);
  }

  /// Before memory is asked for: the file must have as many blocks as it says, under `scope`.
  void check_blocks(const minrnn::TensorFile& file, std::string_view scope, minrnn::Index layers) const {
    std::set<std::string_view> blocks;
    for (const auto& tensor : file.tensors) {
      std::string_view name = tensor.name;
      if (!name.starts_with(scope)) continue;
      name.remove_prefix(scope.size());
      blocks.insert(name.substr(0, name.find('/')));
    }
    if (static_cast<minrnn::Index>(blocks.size()) != layers)
      throw InputError(refused_ + "its metadata have layers " + std::to_string(layers) + ", its tensors " +
                       std::to_string(blocks.size()));
  }
  /// And so many numbers at least.
  void check_size(const minrnn::TensorFile& file, double wanted) const {
    double there = 0;
    for (const auto& tensor : file.tensors)
      if (tensor.dtype != minrnn::Dtype::other) there += static_cast<double>(minrnn::detail::number_count(tensor));
    if (wanted > there) throw InputError(refused_ + "it is smaller than the model of its metadata");
  }

 private:
  const Metadata& metadata_;
  std::string refused_;
};

/// Throws InputError where a tensor of the file whose name begins so has a NaN or an infinity.
inline void check_finite(const minrnn::TensorFile& file, std::string_view begin) {
  for (const auto& tensor : file.tensors) {
    if (!minrnn::detail::is_floating(tensor.dtype) || !tensor.name.starts_with(begin)) continue;
    minrnn::detail::with_numbers(tensor, [&](const auto& read) {
      for (std::size_t i = 0, count = minrnn::detail::number_count(tensor); i < count; ++i) {
        const auto x = read(i);
        if (!(x - x == 0))
          throw InputError(shown(file.path.string()) + ": tensor " + minrnn::printable(tensor.name) + ": value " +
                           std::to_string(i) + " is not a finite number");
      }
    });
  }
}

/// An option of the command line by its key in the metadata.
inline std::string option_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

/// A training goes on with the settings that it began with.
[[noreturn]] inline void refuse_to_resume(const std::string& path, const std::string& key, const std::string& was,
                                          const std::string& is) {
  throw InputError(shown(path) + ": cannot resume: " + option_of(key) + " was " + minrnn::printable(was) +
                   " there and is " + is + " now");
}

}  // namespace tool
