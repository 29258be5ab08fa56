// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/rtneural_layers.hpp"
#include "minrnn/io/formats/rtneural_tensors.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The JSON of RTNeural, which is that of Keras: {"in_shape", "layers": [{"type", "activation", "shape", "weights"}]},
/// of dense layers, convolutions over time, GRUs, LSTMs, activations and batch normalisations one behind the other.
///
///   const JsonModel model = read_rtneural("model.json");
///   Sequential net(Lstm<float>(1, 20, random.stream(0)), Linear<float>(20, 8, random.stream(1)),
///                  Activation<float>(8, ActivationFunction::tanh), Linear<float>(8, 1, random.stream(2)));
///   import_tensors(model.file, rtneural_map(rtneural_layers(model)), net);
namespace minrnn {

namespace detail {

inline NameMap rtneural_map_of(const RtNeuralLayer& layer) {
  NameMap map;
  if (layer.type == "lstm") {
    map.entries = {{"kernel", {"weight_ih"}, Form::transposed},
                   {"recurrent", {"weight_hh"}, Form::transposed},
                   {"bias", {"bias_ih", "bias_hh"}, Form::same, Along::rows, Value::sum}};
  } else if (layer.type == "gru") {
    const auto gates = [](const std::string& name) -> std::vector<Piece> {
      return {{name, 1, 3}, {name, 0, 3}, {name, 2, 3}};
    };
    std::vector<Piece> biases = gates("bias_ih");
    for (const Piece& piece : gates("bias_hh")) biases.push_back(piece);
    map.entries = {{"kernel", gates("weight_ih"), Form::transposed},
                   {"recurrent", gates("weight_hh"), Form::transposed},
                   {"bias", biases, Form::in_two_rows}};
  } else if (layer.type == "prelu") {
    map.entries = {{"alpha", {"alpha"}}};
  } else if (layer.is_norm()) {
    map.entries = {{"scale", {"w"}}, {"shift", {"b"}}};
  } else if (layer.type != "activation") {
    map.entries = {{"kernel", {"w"}, Form::transposed}};
    if (layer.bias)
      map.entries.push_back({"bias", {"b"}});
    else
      map.zeros.push_back({"b", "w", false});
  }
  return map;
}

/// What a document says of a layer beside its weights.
inline Json rtneural_entry(const RtNeuralLayer& layer) {
  const RtNeuralConvolution& c = layer.convolution;
  const bool is_recurrent = layer.type == "gru" || layer.type == "lstm";
  Json entry{{"type", layer.type},
             {"activation", is_recurrent ? "tanh" : layer.activation},
             {"shape", {nullptr, nullptr, layer.outputs}}};
  if (layer.type == "conv1d") {
    entry["kernel_size"] = {c.taps};
    entry["dilation"] = {c.dilation};
    entry["groups"] = c.groups;
  } else if (layer.type == "conv2d") {
    entry["shape"] = {nullptr, nullptr, c.features_out, c.filters_out};
    entry["kernel_size_time"] = c.taps;
    entry["kernel_size_feature"] = c.width;
    entry["dilation"] = c.dilation;
    entry["strides"] = c.stride;
    entry["num_filters_in"] = c.filters_in;
    entry["num_features_in"] = c.features_in;
    entry["num_filters_out"] = c.filters_out;
    entry["padding"] = c.same ? "same" : "valid";
  } else if (layer.type == "batchnorm2d") {
    const Index features = layer.outputs / std::max<Index>(layer.channels, 1);
    entry["shape"] = {nullptr, nullptr, features, layer.channels};
    entry["num_filters_in"] = layer.channels;
    entry["num_features_in"] = features;
  }
  if (layer.is_norm()) entry["epsilon"] = layer.epsilon;
  entry["weights"] = Json(rtneural_arrays(layer).size(), nullptr);
  return entry;
}

/// The arrays of a layer of a document for these tensors.
inline Json rtneural_weights(const std::filesystem::path& path, const std::string& scope, const RtNeuralLayer& layer,
                             const TensorsByName& tensors, const Json& before) {
  std::vector<StoredTensor> ours;
  for (const std::string& kind : rtneural_tensors(layer))
    ours.push_back(tensor_of_shape(tensors, scope + kind, rtneural_shape(layer, kind), path));
  if (layer.is_norm()) {
    // As they were, where they still give the same numbers: from those they could not be told to the bit.
    const RtNeuralNorm norm(path, scope, layer, before);
    const bool has_numbers = before.size() == rtneural_arrays(layer).size() &&
                             std::none_of(before.begin(), before.end(), [](const Json& a) { return a.is_null(); });
    const bool is_same = has_numbers && norm.scale(ours[0].dtype).bytes == ours[0].bytes &&
                         norm.shift(ours[1].dtype).bytes == ours[1].bytes;
    return is_same ? before : norm.arrays(ours[0], ours[1]);
  }
  Json weights = Json::array();
  const auto kinds = rtneural_arrays(layer);
  for (std::size_t k = 0; k < kinds.size(); ++k)
    weights.push_back(json_of(rtneural_collapsed(path, layer, kinds[k], ours[k]), path));
  return weights;
}

}  // namespace detail

/// A `Sequential` of these layers:
///
///   dense                   `Linear`; with an activation an `Activation` behind it
///   conv1d, conv2d          `Unfold(inputs, taps, {.dilation})` where there is more than one tap, and
///                           `Linear(taps * inputs, outputs)`, which has zeros between groups and features; the same
///   gru, lstm, activation   `Gru`, `Lstm`, `Activation`
///   prelu                   `Prelu`
///   batchnorm, batchnorm2d  `Conv1d(inputs, 1)`, of one tap: a scale and a shift of each feature
///
/// Their weights are transposed; the gates of their GRU are z, r, h where ours are r, z, n; their LSTM has one bias. A
/// layer without a bias: with or without one here.
inline NameMap rtneural_map(const std::vector<RtNeuralLayer>& layers) {
  NameMap map;
  std::size_t ours = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].convolution.taps > 1) ++ours;
    map += detail::rtneural_map_of(layers[i]).within("layers." + std::to_string(i), std::to_string(ours));
    ours += layers[i].type != "activation" && !layers[i].activation.empty() ? 2U : 1U;
  }
  return map;
}

/// Throws std::runtime_error with the path and the reason. The numbers are rounded to `dtype`. The tensors are those of
/// `rtneural_map`: of a convolution and of a batch normalisation not the arrays of the file, but what they are here.
inline JsonModel read_rtneural(const std::filesystem::path& path, Dtype dtype = Dtype::f32) {
  JsonModel model{{}, detail::read_json(path)};
  model.file.path = path;
  const auto layers = rtneural_layers(model);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string scope = "layers." + std::to_string(i) + ".";
    const Json& weights = detail::json_at(path, model.document["layers"][i], "weights");
    const auto kinds = detail::rtneural_arrays(layers[i]);
    if (!weights.is_array() || weights.size() != kinds.size())
      detail::throw_file(path, scope + "weights: wanted " + std::to_string(kinds.size()) + " arrays, given " +
                                   std::to_string(weights.is_array() ? weights.size() : 0));
    if (layers[i].is_norm()) {
      for (std::size_t k = 0; k < kinds.size(); ++k)
        if (weights[k].is_null())
          detail::throw_file(path, "tensor " + scope + kinds[k] + ": wanted numbers, given null");
      const detail::RtNeuralNorm norm(path, scope, layers[i], weights);
      model.file.tensors.push_back(norm.scale(dtype));
      model.file.tensors.push_back(norm.shift(dtype));
      continue;
    }
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      const StoredTensor theirs = detail::JsonNumbers(path, scope + kinds[k], dtype).read(weights[k]);
      detail::check_shape(path, theirs, dtype, detail::rtneural_array_shape(layers[i], kinds[k]));
      model.file.tensors.push_back(detail::rtneural_expanded(path, layers[i], kinds[k], theirs));
    }
  }
  return model;
}

/// A document with nothing in the places of the weights, for a model that was trained here.
inline Json rtneural_document(const std::vector<RtNeuralLayer>& layers) {
  Json shape{nullptr, nullptr, layers.empty() ? Index{0} : layers.front().inputs};
  if (!layers.empty() && layers.front().type == "conv2d")
    shape = {nullptr, nullptr, layers.front().convolution.features_in, layers.front().convolution.filters_in};
  Json document{{"in_shape", shape}, {"layers", Json::array()}};
  for (const RtNeuralLayer& layer : layers) document["layers"].push_back(detail::rtneural_entry(layer));
  return document;
}

/// Writes the tensors that `export_tensors` gives, and of the document all that is not a tensor. Of a batch
/// normalisation that was trained gamma and beta are rounded. Throws std::runtime_error with the path and the reason,
/// also for tensors that are not those of the document's layers, or that no convolution of them has.
inline void write_rtneural(const std::filesystem::path& path, const TensorFile& file, Json document) {
  JsonModel model{{}, std::move(document)};
  model.file.path = path;
  const auto layers = rtneural_layers(model);
  const auto tensors = detail::tensors_by_name(file);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string scope = "layers." + std::to_string(i) + ".";
    Json& weights = model.document["layers"][i]["weights"];
    weights = detail::rtneural_weights(path, scope, layers[i], tensors, weights);
  }
  detail::write_json(path, model.document);
}

}  // namespace minrnn
