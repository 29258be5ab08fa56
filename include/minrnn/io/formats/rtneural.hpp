// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "minrnn/core/types.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The JSON of RTNeural, which is that of Keras: {"in_shape", "layers": [{"type", "activation", "shape", "weights"}]},
/// of dense layers, GRUs, LSTMs and activations one behind the other.
///
///   const JsonModel model = read_rtneural("model.json");
///   Sequential net(Lstm<float>(1, 20, random.stream(0)), Linear<float>(20, 8, random.stream(1)),
///                  Activation<float>(8, ActivationFunction::tanh), Linear<float>(8, 1, random.stream(2)));
///   import_tensors(model.file, rtneural_map(rtneural_layers(model)), net);
namespace minrnn {

/// A layer of theirs.
struct RtNeuralLayer {
  std::string type;  // dense, gru, lstm or activation
  Index inputs = 0, outputs = 0;
  /// What an activation computes, or what is behind a dense layer, where it is a layer of its own here: tanh, relu,
  /// sigmoid, softmax or elu; empty where there is none.
  std::string activation = {};
  bool bias = true;  // of a dense layer
};

namespace detail {

/// The activation of a layer of this type, empty where it has none.
inline std::string rtneural_activation(const JsonModel& model, const std::string& number, const std::string& type,
                                       const Json& entry) {
  const Json name = entry.contains("activation") ? entry.at("activation") : Json("");
  const bool is_activation = type == "activation";
  if (type == "dense" || is_activation)
    for (const char* function : {"tanh", "relu", "sigmoid", "softmax", "elu"})
      if (name == function) return function;
  const bool is_none = name == "" || name.is_null() || name == (type == "dense" ? "linear" : "tanh");
  if (is_activation || !is_none)
    throw_file(model.file.path, number + ": " + type + " with activation " + printable(name.dump()) + " is not read");
  return {};
}

}  // namespace detail

/// What a file says of the layers. Throws std::runtime_error with the path and the reason, also for another kind of
/// layer or activation.
inline std::vector<RtNeuralLayer> rtneural_layers(const JsonModel& model) {
  const auto& path = model.file.path;
  const auto last = [&](const Json& object, const char* key) {
    const Json& shape = detail::json_at(path, object, key);
    if (!shape.is_array() || shape.empty()) detail::throw_file(path, std::string(key) + ": wanted an array of sizes");
    return detail::json_size(path, Json{{key, shape.back()}}, key);
  };
  Index size = last(model.document, "in_shape");
  const Json& list = detail::json_at(path, model.document, "layers");
  if (!list.is_array() || list.empty()) detail::throw_file(path, "layers: wanted an array of at least one");
  std::vector<RtNeuralLayer> layers;
  for (const Json& entry : list) {
    const std::string number = "layers[" + std::to_string(layers.size()) + "]";
    std::string type = detail::json_text(path, entry, "type");
    if (type == "time-distributed-dense") type = "dense";
    if (type != "dense" && type != "gru" && type != "lstm" && type != "activation")
      detail::throw_file(path, number + ": wanted dense, gru, lstm or activation, given " + printable(type));
    const std::string activation = detail::rtneural_activation(model, number, type, entry);
    const Index outputs = last(entry, "shape");
    if (type == "activation" && outputs != size)
      detail::throw_file(path, number + ": activation: wanted a shape of " + std::to_string(size) +
                                   " features, given " + std::to_string(outputs));
    const bool bias = !(entry.contains("weights") && entry.at("weights").size() == 1);
    layers.push_back({type, size, outputs, activation, type != "dense" || bias});
    size = outputs;
  }
  return layers;
}

/// Whether a file says, as those of AIDA-X do by "in_skip", that the input is added to the output: the net stands
/// within a `Residual` then. Throws std::runtime_error with the path and the reason.
inline bool rtneural_skips(const JsonModel& model) {
  if (!model.document.contains("in_skip")) return false;
  const Json& skip = model.document.at("in_skip");
  if (skip != 0 && skip != 1)
    detail::throw_file(model.file.path, "in_skip: wanted 0 or 1, given " + printable(skip.dump()));
  return skip == 1;
}

/// A `Sequential` of `Linear`, `Gru`, `Lstm` and `Activation`, of which one also stands behind a `Linear` whose dense
/// layer says one. Their weights are transposed; the gates of their GRU are z, r, h where ours are r, z, n; their LSTM
/// has one bias. A dense layer without a bias: with or without one here.
inline NameMap rtneural_map(const std::vector<RtNeuralLayer>& layers) {
  NameMap map;
  std::size_t ours = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    NameMap layer;
    if (layers[i].type == "dense") {
      layer.entries = {{"kernel", {"w"}, Form::transposed}};
      if (layers[i].bias)
        layer.entries.push_back({"bias", {"b"}});
      else
        layer.zeros.push_back({"b", "w", false});
    } else if (layers[i].type == "lstm") {
      layer.entries = {{"kernel", {"weight_ih"}, Form::transposed},
                       {"recurrent", {"weight_hh"}, Form::transposed},
                       {"bias", {"bias_ih", "bias_hh"}, Form::same, Along::rows, Value::sum}};
    } else if (layers[i].type == "gru") {
      const auto gates = [](const std::string& name) -> std::vector<Piece> {
        return {{name, 1, 3}, {name, 0, 3}, {name, 2, 3}};
      };
      std::vector<Piece> biases = gates("bias_ih");
      for (const Piece& piece : gates("bias_hh")) biases.push_back(piece);
      layer.entries = {{"kernel", gates("weight_ih"), Form::transposed},
                       {"recurrent", gates("weight_hh"), Form::transposed},
                       {"bias", biases, Form::in_two_rows}};
    }
    map += layer.within("layers." + std::to_string(i), std::to_string(ours));
    ours += layers[i].type == "dense" && !layers[i].activation.empty() ? 2U : 1U;
  }
  return map;
}

namespace detail {
inline std::vector<std::string> rtneural_tensors(const RtNeuralLayer& layer) {
  if (layer.type == "activation") return {};
  if (layer.type == "dense")
    return layer.bias ? std::vector<std::string>{"kernel", "bias"} : std::vector<std::string>{"kernel"};
  return {"kernel", "recurrent", "bias"};
}
/// The shape that belongs to the sizes which a file names beside a tensor.
inline Shape rtneural_shape(const RtNeuralLayer& layer, const std::string& kind) {
  const auto inputs = static_cast<std::uint64_t>(layer.inputs), outputs = static_cast<std::uint64_t>(layer.outputs);
  const std::uint64_t columns = outputs * (layer.type == "dense" ? 1 : layer.type == "gru" ? 3 : 4);
  if (kind == "bias") return layer.type == "gru" ? Shape{2, columns} : Shape{columns};
  return {kind == "kernel" ? inputs : outputs, columns};
}
}  // namespace detail

/// Throws std::runtime_error with the path and the reason. The numbers are rounded to `dtype`.
inline JsonModel read_rtneural(const std::filesystem::path& path, Dtype dtype = Dtype::f32) {
  JsonModel model{{}, detail::read_json(path)};
  model.file.path = path;
  const auto layers = rtneural_layers(model);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string scope = "layers." + std::to_string(i) + ".";
    const Json& weights = detail::json_at(path, model.document["layers"][i], "weights");
    const auto kinds = detail::rtneural_tensors(layers[i]);
    if (!weights.is_array() || weights.size() != kinds.size())
      detail::throw_file(path, scope + "weights: wanted " + std::to_string(kinds.size()) + " arrays, given " +
                                   std::to_string(weights.is_array() ? weights.size() : 0));
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      model.file.tensors.push_back(detail::JsonNumbers(path, scope + kinds[k], dtype).read(weights[k]));
      detail::check_shape(path, model.file.tensors.back(), dtype, detail::rtneural_shape(layers[i], kinds[k]));
    }
  }
  return model;
}

/// A document with nothing in the places of the weights, for a model that was trained here.
inline Json rtneural_document(const std::vector<RtNeuralLayer>& layers) {
  Json document{{"in_shape", {nullptr, nullptr, layers.empty() ? Index{0} : layers.front().inputs}},
                {"layers", Json::array()}};
  for (const RtNeuralLayer& layer : layers)
    document["layers"].push_back(
        {{"type", layer.type},
         {"activation", layer.type == "gru" || layer.type == "lstm" ? "tanh" : layer.activation},
         {"shape", {nullptr, nullptr, layer.outputs}},
         {"weights", Json(detail::rtneural_tensors(layer).size(), nullptr)}});
  return document;
}

/// Writes the tensors that `export_tensors` gives, and of the document all that is not a tensor. Throws
/// std::runtime_error with the path and the reason, also for tensors that are not those of the document's layers.
inline void write_rtneural(const std::filesystem::path& path, const TensorFile& file, Json document) {
  JsonModel model{{}, std::move(document)};
  model.file.path = path;
  const auto layers = rtneural_layers(model);
  const auto tensors = detail::tensors_by_name(file);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Json weights = Json::array();
    for (const std::string& kind : detail::rtneural_tensors(layers[i])) {
      const std::string name = "layers." + std::to_string(i) + "." + kind;
      const auto shape = detail::rtneural_shape(layers[i], kind);
      weights.push_back(detail::json_of(detail::tensor_of_shape(tensors, name, shape, path), path));
    }
    model.document["layers"][i]["weights"] = std::move(weights);
  }
  detail::write_json(path, model.document);
}

}  // namespace minrnn
