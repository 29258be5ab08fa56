// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "minrnn/io/checkpoint.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/models/language_model.hpp"
#include "text.hpp"

namespace char_lm {

using minrnn::Index;
using Metadata = std::map<std::string, std::string>;

/// What a model is made from, and what its checkpoint says of itself.
struct ModelSettings {
  std::string mixer = "mingru";
  Index layers = 3, dim = 128, expansion = 2;
  double dropout = 0;
  std::string vocabulary;

  Metadata metadata() const {
    std::string hex;
    for (const char c : vocabulary) {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      hex += {digits[byte >> 4], digits[byte & 15]};
    }
    return {{"program", "char_lm"},
            {"mixer", mixer},
            {"layers", std::to_string(layers)},
            {"dim", std::to_string(dim)},
            {"expansion", std::to_string(expansion)},
            {"dropout", std::to_string(dropout)},
            {"vocabulary", hex}};
  }
  /// Throws InputError where the file is not a checkpoint of this program.
  static ModelSettings from(const minrnn::TensorFile& file) {
    const auto text = [&](const std::string& key) {
      const auto entry = file.metadata.find(key);
      if (entry == file.metadata.end())
        throw InputError(file.path.string() + ": is not a char_lm checkpoint: its metadata lack \"" + key + "\"");
      return entry->second;
    };
    ModelSettings settings;
    try {
      settings.mixer = text("mixer");
      settings.layers = std::stol(text("layers"));
      settings.dim = std::stol(text("dim"));
      settings.expansion = std::stol(text("expansion"));
      settings.dropout = std::stod(text("dropout"));
      const std::string hex = text("vocabulary");
      for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        settings.vocabulary += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    } catch (const std::logic_error& error) {  // of the conversions
      throw InputError(file.path.string() + ": its metadata are not those of a char_lm checkpoint");
    }
    return settings;
  }
};

/// Calls body(model) with a fresh language model of the mixer that the settings name: the one place where it is chosen.
template <class Body>
auto with_model(const ModelSettings& settings, std::uint64_t seed, Body&& body) {
  const auto make = [&]<class Mixer>(std::type_identity<Mixer>) {
    minrnn::Random random(seed);
    minrnn::LanguageModel<Mixer> model({.vocabulary = static_cast<Index>(settings.vocabulary.size()),
                                        .dim = settings.dim,
                                        .layers = settings.layers,
                                        .expansion = settings.expansion,
                                        .dropout = settings.dropout},
                                       random,
                                       [&](Index inputs, Index features) { return Mixer(inputs, features, random); });
    return body(model);
  };
  if (settings.mixer == "mingru") return make(std::type_identity<minrnn::MinGru<float>>{});
  if (settings.mixer == "minlstm") return make(std::type_identity<minrnn::MinLstm<float>>{});
  if (settings.mixer == "gru") return make(std::type_identity<minrnn::Gru<float>>{});
  if (settings.mixer == "lstm") return make(std::type_identity<minrnn::Lstm<float>>{});
  throw InputError("mixer \"" + settings.mixer + "\" is not known: mingru, minlstm, gru or lstm");
}

/// Calls body(model, vocabulary) with the model that a checkpoint holds.
template <class Body>
auto with_checkpoint(const std::string& path, Body&& body) {
  const minrnn::TensorFile file = minrnn::read_safetensors(path);
  const ModelSettings settings = ModelSettings::from(file);
  return with_model(settings, 0, [&](auto& model) {
    minrnn::restore(file, model);
    return body(model, Vocabulary(settings.vocabulary));
  });
}

}  // namespace char_lm
