// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/torch.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/names_of.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The language models of Mamba, as transformers ("Hugging Face") and as mamba_ssm ("original") save them.
namespace minrnn {

struct MambaMapOptions {
  Index layers = 24;
  Index delta_rank = 0;   // R; 0: that of the model, which `to_ours` has to be told
  bool original = false;  // "embedding" for "embeddings"
  bool tied = true;       // without an lm_head of its own
};

/// Mamba's mixer: `Mamba`. The two halves of in_proj, and delta, B and C of x_proj, are matrices of their own here.
inline NameMap mamba_mixer_map(Index delta_rank = 0) {
  return {.entries = {{"in_proj.weight", {"in/w", "gate/w"}},
                      {"conv1d.weight", {"conv/w"}, Form::with_middle_unit},
                      {"conv1d.bias", {"conv/b"}},
                      {"x_proj.weight", {{"delta_down/w", delta_rank}, "bc/w"}},
                      {"dt_proj.weight", {"delta_up/w"}},
                      {"dt_proj.bias", {"delta_up/b"}},
                      {"A_log", {"a_log"}},
                      {"D", {"skip"}},
                      {"out_proj.weight", {"out/w"}}},
          .refusals = {{"in_proj.bias", "a Mamba with use_bias is not read"}}};
}

/// What `make_mamba_language_model` makes.
inline NameMap mamba_map(const MambaMapOptions& options) {
  NameMap map = torch_embedding().within(options.original ? "embedding" : "embeddings", "embedding");
  for (Index l = 0; l < options.layers; ++l) {
    const std::string number = std::to_string(l);
    map += (torch_rms_norm().within("norm", "norm") + mamba_mixer_map(options.delta_rank).within("mixer", "mixer"))
               .within("layers." + number, "blocks/" + number);
  }
  map += torch_rms_norm().within("norm_f", "norm");
  map = map.within("backbone", "");
  if (options.tied)
    map.ties.push_back({"output/w", "embedding/table", true});
  else
    map += torch_linear({.bias = false}).within("lm_head", "output");
  return map;
}

/// What the names and shapes of a file say.
inline MambaMapOptions mamba_options_of(const TensorFile& file) {
  const StoredTensor* rank = detail::tensor_or_null(file, "backbone.layers.0.mixer.dt_proj.weight");
  return {.layers = detail::count_layers(file, "backbone.layers."),
          .delta_rank = rank != nullptr && rank->shape.size() == 2 ? static_cast<Index>(rank->shape[1]) : 0,
          .original = detail::tensor_or_null(file, "backbone.embedding.weight") != nullptr,
          .tied = detail::tensor_or_null(file, "lm_head.weight") == nullptr};
}

}  // namespace minrnn
