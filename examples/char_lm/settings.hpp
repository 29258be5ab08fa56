// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "minrnn/io/printable.hpp"
#include "minrnn/io/safetensors.hpp"
#include "text.hpp"

namespace char_lm {

using Metadata = std::map<std::string, std::string>;

/// The largest of all sizes; products of three stay far from overflow.
inline constexpr Index kMostSize = 1 << 20;
inline constexpr Index kMostWindow = 1 << 16;

/// The shortest text that reads back as the same number.
inline std::string number_text(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

/// What a model is made from, and what its checkpoint says of itself.
struct ModelSettings {
  std::string mixer = "mingru";
  Index layers = 3, dim = 128, expansion = 2;
  Index heads = 0, window = 0;  // of a transformer alone; 0: dim / 64, and the context of the training
  double dropout = 0;
  std::string vocabulary;

  bool attends() const { return mixer == "transformer"; }

  Metadata metadata() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : vocabulary) {
      const auto byte = static_cast<unsigned char>(c);
      hex += {digits[byte >> 4], digits[byte & 15]};
    }
    Metadata metadata{{"program", "char_lm"},
                      {"mixer", mixer},
                      {"layers", std::to_string(layers)},
                      {"dim", std::to_string(dim)},
                      {"expansion", std::to_string(expansion)},
                      {"dropout", number_text(dropout)},
                      {"vocabulary", hex}};
    if (attends()) metadata.insert({{"heads", std::to_string(heads)}, {"window", std::to_string(window)}});
    return metadata;
  }

  /// Throws InputError where the file does not say that it is a checkpoint of this program, or cannot be what it says.
  static ModelSettings from(const minrnn::TensorFile& file) {
    const std::string refused = shown(file.path.string()) + ": is not a checkpoint of char_lm: ";
    const auto text = [&](const std::string& key) -> const std::string& {
      const auto entry = file.metadata.find(key);
      if (entry == file.metadata.end()) throw InputError(refused + "its metadata lack \"" + key + "\"");
      return entry->second;
    };
    const auto number = [&](const std::string& key, auto least, auto most) {
      auto result = least;
      const std::string& value = text(key);
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
      if (error != std::errc() || end != value.data() + value.size() || !(result >= least && result <= most))
        throw InputError(refused + "its metadata have " + key + " \"" + minrnn::printable(value) + "\"");
      return result;
    };
    ModelSettings settings;
    settings.mixer = text("mixer");
    settings.layers = number("layers", Index{1}, kMostSize);
    settings.dim = number("dim", Index{1}, kMostSize);
    settings.expansion = number("expansion", Index{1}, kMostSize);
    if (settings.attends()) {
      settings.heads = number("heads", Index{1}, kMostSize);
      settings.window = number("window", Index{1}, kMostWindow);
    }
    settings.dropout = number("dropout", 0.0, 1.0);
    const std::string& hex = text("vocabulary");
    for (std::size_t i = 0; i + 1 < hex.size() && i < 2 * 256; i += 2) {
      unsigned char byte = 0;
      if (std::from_chars(&hex[i], &hex[i] + 2, byte, 16).ptr != &hex[i] + 2) break;
      if (i > 0 && byte <= static_cast<unsigned char>(settings.vocabulary.back())) break;
      settings.vocabulary += static_cast<char>(byte);
    }
    if (hex.empty() || hex.size() != 2 * settings.vocabulary.size())
      throw InputError(refused + "its metadata have vocabulary \"" + minrnn::printable(hex) +
                       "\": wanted different bytes, ascending");
    settings.check_size(file, refused);
    return settings;
  }

 private:
  /// Before memory is asked for: the file must have as many blocks as it says, and the model cannot be much larger than
  /// it.
  void check_size(const minrnn::TensorFile& file, const std::string& refused) const {
    std::set<std::string_view> blocks;
    double there = 0;
    for (const auto& tensor : file.tensors) {
      there += static_cast<double>(tensor.bytes.size() / sizeof(float));
      std::string_view name = tensor.name;
      if (!name.starts_with("blocks/")) continue;
      name.remove_prefix(7);
      blocks.insert(name.substr(0, name.find('/')));
    }
    if (static_cast<Index>(blocks.size()) != layers)
      throw InputError(refused + "its metadata have layers " + std::to_string(layers) + ", its tensors " +
                       std::to_string(blocks.size()));
    const auto d = static_cast<double>(dim), inner = d * static_cast<double>(expansion);
    const double projections = inner * d + (mixer_is_recurrent() ? inner * inner : 0);
    if (static_cast<double>(layers) * projections + 2 * d * static_cast<double>(vocabulary.size()) > there)
      throw InputError(refused + "it is smaller than the model of its metadata");
  }
  bool mixer_is_recurrent() const { return mixer == "gru" || mixer == "lstm"; }  // from features to features
};

}  // namespace char_lm
