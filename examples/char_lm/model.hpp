// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "minrnn/compose/quantised.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/models/language_model.hpp"
#include "settings.hpp"
#include "support/checkpoints.hpp"
#include "support/mixers.hpp"

namespace char_lm {

/// Calls body(model) with a fresh language model of the mixer that the settings name.
template <class Body>
int with_model(const ModelSettings& settings, minrnn::RandomStream stream, Body&& body) {
  const MixerSettings mixer{.expansion = settings.expansion, .heads = settings.heads, .window = settings.window};
  return with_mixer(settings.mixer, mixer, [&](auto make_mixer) {
    minrnn::LanguageModel<decltype(make_mixer(Index{}, Index{}, stream))> model(
        {.vocabulary = static_cast<Index>(settings.vocabulary.size()),
         .dim = settings.dim,
         .layers = settings.layers,
         .expansion = settings.expansion,
         .dropout = settings.dropout},
        stream, make_mixer);
    return body(model);
  });
}

/// Calls body(model, vocabulary) with the model that a checkpoint holds, to be run over `length` characters at most.
/// Where a format is given, its large weights have 16 or 8 bits.
template <class Body>
int with_checkpoint(const std::string& path, std::uint64_t length, std::optional<minrnn::WeightFormat> weights,
                    Body&& body) {
  minrnn::TensorFile file = minrnn::read_safetensors(path_of(path));
  ModelSettings settings = ModelSettings::from(file);
  // A window beyond the text costs memory and changes nothing.
  if (static_cast<std::uint64_t>(settings.window) > length)
    settings.window = std::max<Index>(static_cast<Index>(length), 1);
  return with_model(settings, minrnn::Random().stream(0), [&](auto& model) {
    minrnn::restore(file, model);
    check_finite(file, "");
    file.tensors.clear();
    const Vocabulary vocabulary(settings.vocabulary);
    if (!weights) return body(model, vocabulary);
    const auto narrow = minrnn::quantise(std::move(model), *weights);
    return body(narrow, vocabulary);
  });
}

}  // namespace char_lm
