// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/torch.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/names_of.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The models of github.com/lucidrains/minGRU-pytorch. Their candidate is positive, their state begins at zero, their
/// minLSTM is normalised: the defaults of `MinGru` and `MinLstm`, whose biases are zero.
namespace minrnn {

enum class MinimalMixer { min_gru, min_lstm };

struct LucidrainsOptions {
  MinimalMixer mixer = MinimalMixer::min_gru;
  bool projection = false;  // a `to_out`, as there is where the expansion is not 1
};

/// minGRU or minLSTM: `MinGru` or `MinLstm`; with a projection a layer named "mixer" and, behind it, a `Linear` "down"
/// without a bias.
inline NameMap lucidrains_mixer(const LucidrainsOptions& options = {}) {
  NameMap map;
  if (options.mixer == MinimalMixer::min_gru) {
    map.entries = {{"to_hidden_and_gate.weight", {"w_h", "w_z"}}};
    map.zeros = {{"b_h", "w_h"}, {"b_z", "w_z"}};
  } else {
    map.entries = {{"to_hidden_and_f_i_gate.weight", {"w_h", "w_f", "w_i"}}};
    map.zeros = {{"b_h", "w_h"}, {"b_f", "w_f"}, {"b_i", "w_i"}};
  }
  if (!options.projection) return map;
  return map.within("", "mixer") + torch_linear({.bias = false}).within("to_out", "down");
}

struct LucidrainsModelOptions {
  MinimalMixer mixer = MinimalMixer::min_gru;
  Index layers = 1;          // depth there
  bool projection = true;    // false where the expansion is 1
  bool convolution = false;  // enable_conv
};

/// minLM: what `make_min_lm` makes.
inline NameMap lucidrains_min_lm(const LucidrainsModelOptions& options) {
  NameMap block =
      torch_rms_norm().within("1", "mix/norm") +
      lucidrains_mixer({options.mixer, options.projection}).within("2", options.projection ? "mix" : "mix/mixer") +
      torch_rms_norm().within("3", "feed/norm") + torch_mlp().within("4", "feed/mlp");
  if (options.convolution)
    block += torch_depthwise_conv1d().within("0.net.0", "conv/depthwise") +
             torch_pointwise_conv1d().within("0.net.1", "conv/pointwise");
  NameMap map = torch_embedding().within("token_emb", "embedding");
  for (Index l = 0; l < options.layers; ++l) {
    const std::string number = std::to_string(l);
    map += block.within("layers." + number, "blocks/" + number);
  }
  return map + torch_rms_norm().within("norm", "norm") + torch_linear({.bias = false}).within("to_logits", "output");
}

/// What the names in a file of a mixer, or of a model, say; of a mixer layers is 0.
inline LucidrainsModelOptions lucidrains_options_of(const TensorFile& file) {
  const Index layers = detail::count_layers(file, "layers.");
  const std::string mixer = layers == 0 ? "" : "layers.0.2.";
  return {.mixer = detail::has_names(file, mixer + "to_hidden_and_f_i_gate") ? MinimalMixer::min_lstm
                                                                             : MinimalMixer::min_gru,
          .layers = layers,
          .projection = detail::has_names(file, mixer + "to_out."),
          .convolution = detail::has_names(file, "layers.0.0.")};
}

}  // namespace minrnn
