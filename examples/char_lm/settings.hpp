// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "minrnn/io/safetensors.hpp"
#include "support/checkpoints.hpp"
#include "text.hpp"

namespace char_lm {

inline constexpr Index kMostWindow = 1 << 16;

/// What a model is made from, and what its checkpoint says of itself.
struct ModelSettings {
  std::string mixer = "mingru";
  Index layers = 3, dim = 128, expansion = 2;
  Index heads = 0, window = 0;  // of a transformer alone; 0: dim / 64, and the context of the training
  double dropout = 0;
  std::string vocabulary;

  bool attends() const { return mixer == "transformer"; }
  /// What has not been chosen, from what has: the vocabulary is that of a text.
  void complete(std::string known, Index context) {
    vocabulary = std::move(known);
    if (heads == 0) heads = std::max<Index>(dim / 64, 1);
    if (window == 0) window = std::min(context, kMostWindow);
  }

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
    const MetadataReader metadata(file);
    ModelSettings settings;
    settings.mixer = metadata.text("mixer");
    settings.layers = metadata.number("layers", Index{1}, kMostSize);
    settings.dim = metadata.number("dim", Index{1}, kMostSize);
    settings.expansion = metadata.number("expansion", Index{1}, kMostSize);
    if (settings.attends()) {
      settings.heads = metadata.number("heads", Index{1}, kMostSize);
      settings.window = metadata.number("window", Index{1}, kMostWindow);
    }
    settings.dropout = metadata.number("dropout", 0.0, 1.0);
    const std::string& hex = metadata.text("vocabulary");
    for (std::size_t i = 0; i + 1 < hex.size() && i < 2 * 256; i += 2) {
      unsigned char byte = 0;
      if (std::from_chars(&hex[i], &hex[i] + 2, byte, 16).ptr != &hex[i] + 2) break;
      if (i > 0 && byte <= static_cast<unsigned char>(settings.vocabulary.back())) break;
      settings.vocabulary += static_cast<char>(byte);
    }
    if (hex.empty() || hex.size() != 2 * settings.vocabulary.size())
      metadata.refuse("vocabulary", ": wanted different bytes, ascending");
    settings.check_size(file, metadata);
    return settings;
  }

 private:
  /// Before memory is asked for: the file must have as many blocks as it says, and the model cannot be much larger than
  /// it.
  void check_size(const minrnn::TensorFile& file, const MetadataReader& metadata) const {
    metadata.check_blocks(file, "blocks/", layers);
    const auto d = static_cast<double>(dim), inner = d * static_cast<double>(expansion);
    const double projections = inner * d + (mixer_is_recurrent() ? inner * inner : 0);
    metadata.check_size(file,
                        static_cast<double>(layers) * projections + 2 * d * static_cast<double>(vocabulary.size()));
  }
  bool mixer_is_recurrent() const { return mixer == "gru" || mixer == "lstm"; }  // from features to features
};

}  // namespace char_lm
