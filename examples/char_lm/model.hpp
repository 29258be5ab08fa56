// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
int with_model(const ModelSettings& settings, minrnn::RandomStream stream, Body&& body) {
  using minrnn::RandomStream;
  const auto make = [&](auto make_mixer) {
    minrnn::LanguageModel<decltype(make_mixer(Index{}, Index{}, stream))> model(
        {.vocabulary = static_cast<Index>(settings.vocabulary.size()),
         .dim = settings.dim,
         .layers = settings.layers,
         .expansion = settings.expansion,
         .dropout = settings.dropout},
        stream, make_mixer);
    return body(model);
  };
  const auto recurrent = [&]<class Mixer>(std::type_identity<Mixer>) {
    return make([](Index inputs, Index features, RandomStream own) { return Mixer(inputs, features, own); });
  };
  if (settings.mixer == "mingru") return recurrent(std::type_identity<minrnn::MinGru<float>>{});
  if (settings.mixer == "signed-mingru") return recurrent(std::type_identity<minrnn::SignedMinGru<float>>{});
  if (settings.mixer == "signed-minlstm") return recurrent(std::type_identity<minrnn::SignedMinLstm<float>>{});
  if (settings.mixer == "minlstm") return recurrent(std::type_identity<minrnn::MinLstm<float>>{});
  if (settings.mixer == "gru") return recurrent(std::type_identity<minrnn::Gru<float>>{});
  if (settings.mixer == "lstm") return recurrent(std::type_identity<minrnn::Lstm<float>>{});
  if (settings.mixer == "mamba")
    return make([&](Index dim, Index, RandomStream own) {
      return minrnn::Mamba<float>(dim, own, {.expansion = settings.expansion});
    });
  if (settings.attends())
    return make([&](Index dim, Index, RandomStream own) {
      return minrnn::Attention<float>(dim, settings.heads, own, {.window = settings.window});
    });
  throw InputError(
      "mixer \"" + minrnn::printable(settings.mixer) +
      "\" is not known: wanted mingru, minlstm, signed-mingru, signed-minlstm, gru, lstm, mamba or transformer");
}

/// Throws InputError where a tensor of the file whose name begins so has a NaN or an infinity.
inline void check_finite(const minrnn::TensorFile& file, std::string_view begin) {
  for (const auto& tensor : file.tensors) {
    const bool narrow = tensor.dtype == minrnn::Dtype::f32;
    if ((!narrow && tensor.dtype != minrnn::Dtype::f64) || !tensor.name.starts_with(begin)) continue;
    const std::size_t size = narrow ? 4 : 8;
    for (std::size_t end = size; end <= tensor.bytes.size(); end += size) {
      // The last two of its bytes have all ones for an exponent: 8 of them, or 11.
      const auto top =
          std::to_integer<unsigned>(tensor.bytes[end - 1]) << 8 | std::to_integer<unsigned>(tensor.bytes[end - 2]);
      const unsigned exponent = narrow ? 0x7f80 : 0x7ff0;
      if ((top & exponent) == exponent)
        throw InputError(shown(file.path.string()) + ": tensor " + minrnn::printable(tensor.name) + ": value " +
                         std::to_string(end / size - 1) + " is not a finite number");
    }
  }
}

/// Calls body(model, vocabulary) with the model that a checkpoint holds, to be run over `length` characters at most.
template <class Body>
int with_checkpoint(const std::string& path, std::uint64_t length, Body&& body) {
  minrnn::TensorFile file = minrnn::read_safetensors(path);
  ModelSettings settings = ModelSettings::from(file);
  // A window beyond the text costs memory and changes nothing.
  if (static_cast<std::uint64_t>(settings.window) > length)
    settings.window = std::max<Index>(static_cast<Index>(length), 1);
  return with_model(settings, minrnn::Random().stream(0), [&](auto& model) {
    minrnn::restore(file, model);
    check_finite(file, "");
    file.tensors.clear();
    return body(model, Vocabulary(settings.vocabulary));
  });
}

}  // namespace char_lm
