// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/min_gru_pytorch.hpp"
#include "minrnn/io/formats/torch.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/names_of.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The models of github.com/BorealisAI/minRNNs, the paper's official code, over tokens. They compute the same here, but
/// do not come back bit for bit: their norms multiply by gamma + 1, whose sum is rounded, and what scales the inside of
/// their MLP becomes part of its second matrix.
///
///   make_min_lm<MinGru<float>>({.vocabulary = 16, .dim = 64, .inner = 128, .mlp_inner = 256,
///                               .mlp = {.form = MlpForm::gated, .gelu = GeluForm::exact},
///                               .down_bias = true, .epsilon = kMinRnnsEpsilon}, ...)
namespace minrnn {

/// They divide by the length of a frame, to which nothing is added.
inline constexpr double kMinRnnsEpsilon = 1e-24;

struct MinRnnsOptions {
  MinimalMixer mixer = MinimalMixer::min_gru;
  Index layers = 1;
  bool convolution = false;    // enable_conv
  bool initial_state = false;  // use_init_hidden_state: `learn_initial_state` here
};

/// x / |x| sqrt(d) (gamma + 1): `RmsNorm`.
inline NameMap min_rnns_norm() { return {.entries = {{"gamma", {"gain"}, Form::same, Along::rows, Value::less_one}}}; }

/// What `make_min_lm` makes, with projections whose output has a bias, and gated MLPs. Their minLSTM is unnormalised
/// unless they are told otherwise: `MinLstm<S, GateScaling::unnormalised>`.
inline NameMap min_rnns_map(const MinRnnsOptions& options) {
  NameMap mixer;
  if (options.mixer == MinimalMixer::min_gru)
    mixer.entries = {{"to_hidden_and_gate.weight", {"w_h", "w_z"}}, {"to_hidden_and_gate.bias", {"b_h", "b_z"}}};
  else
    mixer.entries = {{"to_hidden_and_gate.weight", {"w_h", "w_f", "w_i"}},
                     {"to_hidden_and_gate.bias", {"b_h", "b_f", "b_i"}}};
  if (options.initial_state) mixer.entries.push_back({"init_hidden_state", {"h_0"}});
  // Their halves are v, u of gelu(u) v.
  const NameMap mlp{.entries = {{"0.weight", {{"w_in", 1, 2}, {"w_in", 0, 2}}},
                                {"0.bias", {{"b_in", 1, 2}, {"b_in", 0, 2}}},
                                {"2.weight", {"w_out"}},
                                {"2.bias", {"b_out"}}},
                    .scales = {{"1.mult_bias", "w_out"}}};
  NameMap block = min_rnns_norm().within("1", "mix/norm") + mixer.within("2", "mix/mixer") +
                  torch_linear().within("2.to_out", "mix/down") + min_rnns_norm().within("3", "feed/norm") +
                  mlp.within("4", "feed/mlp");
  if (options.convolution)
    block += torch_depthwise_conv1d().within("0.net.0", "conv/depthwise") +
             torch_pointwise_conv1d().within("0.net.1", "conv/pointwise");
  NameMap map = torch_embedding().within("token_emb", "embedding");
  for (Index l = 0; l < options.layers; ++l) {
    const std::string number = std::to_string(l);
    map += block.within("layers." + number, "blocks/" + number);
  }
  map.refusals.push_back({"layer_in.weight", "a model of numbers, not of tokens, is not read"});
  return map + min_rnns_norm().within("norm", "norm") + torch_linear({.bias = false}).within("to_out", "output");
}

/// What the names and shapes of a file say.
inline MinRnnsOptions min_rnns_options_of(const TensorFile& file) {
  const StoredTensor* gates = detail::tensor_or_null(file, "layers.0.2.to_hidden_and_gate.bias");
  const StoredTensor* out = detail::tensor_or_null(file, "layers.0.2.to_out.weight");
  const bool is_lstm = gates != nullptr && out != nullptr && gates->shape.size() == 1 && out->shape.size() == 2 &&
                       gates->shape[0] == 3 * out->shape[1];
  return {.mixer = is_lstm ? MinimalMixer::min_lstm : MinimalMixer::min_gru,
          .layers = detail::count_layers(file, "layers."),
          .convolution = detail::has_names(file, "layers.0.0."),
          .initial_state = detail::tensor_or_null(file, "layers.0.2.init_hidden_state") != nullptr};
}

}  // namespace minrnn
