// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <type_traits>

#include "minrnn/io/checkpoint.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/models/language_model.hpp"
#include "settings.hpp"

namespace char_lm {

/// Calls body(model) with a fresh language model of the mixer that the settings name: the one place where it is chosen.
template <class Body>
int with_model(const ModelSettings& settings, minrnn::Random& random, Body&& body) {
  const auto make = [&](auto make_mixer) {
    minrnn::LanguageModel<decltype(make_mixer(Index{}, Index{}))> model(
        {.vocabulary = static_cast<Index>(settings.vocabulary.size()),
         .dim = settings.dim,
         .layers = settings.layers,
         .expansion = settings.expansion,
         .dropout = settings.dropout},
        random, make_mixer);
    return body(model);
  };
  const auto recurrent = [&]<class Mixer>(std::type_identity<Mixer>) {
    return make([&](Index inputs, Index features) { return Mixer(inputs, features, random); });
  };
  if (settings.mixer == "mingru") return recurrent(std::type_identity<minrnn::MinGru<float>>{});
  if (settings.mixer == "minlstm") return recurrent(std::type_identity<minrnn::MinLstm<float>>{});
  if (settings.mixer == "gru") return recurrent(std::type_identity<minrnn::Gru<float>>{});
  if (settings.mixer == "lstm") return recurrent(std::type_identity<minrnn::Lstm<float>>{});
  if (settings.mixer == "mamba")
    return make([&](Index dim, Index) { return minrnn::Mamba<float>(dim, random, {.expansion = settings.expansion}); });
  if (settings.attends())
    return make([&](Index dim, Index) {
      return minrnn::Attention<float>(dim, settings.heads, random, {.window = settings.window});
    });
  throw InputError("mixer \"" + settings.mixer +
                   "\" is not known: wanted mingru, minlstm, gru, lstm, mamba or transformer");
}

/// Calls body(model, vocabulary) with the model that a checkpoint holds.
template <class Body>
int with_checkpoint(const std::string& path, Body&& body) {
  minrnn::TensorFile file = minrnn::read_safetensors(path);
  const ModelSettings settings = ModelSettings::from(file);
  minrnn::Random random(0);
  return with_model(settings, random, [&](auto& model) {
    minrnn::restore(file, model);
    file.tensors.clear();
    return body(model, Vocabulary(settings.vocabulary));
  });
}

}  // namespace char_lm
