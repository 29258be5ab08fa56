// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/torch.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The models of Automated-GuitarAmpModelling, which the plug-in AIDA-X plays: a recurrent layer and a linear map.
///
///   const JsonModel amp = read_guitar_amp("amp.json");
///   const GuitarAmp sizes = guitar_amp_of(amp);               // {.lstm = true, .inputs = 1, .features = 16, ...}
///   Residual net(Sequential(Stack(1, [&](Index) { return Lstm<float>(1, 16, random.stream(0)); }),
///                           Linear<float>(16, 1, random.stream(1))));
///   import_tensors(amp.file, guitar_amp_map(sizes), net);
namespace minrnn {

struct GuitarAmp {
  bool lstm = true;  // unit_type LSTM; else GRU
  Index inputs = 1;
  Index features = 16;  // hidden_size
  Index layers = 1;
  Index outputs = 1;
  bool bias = true;  // of the recurrent layers; bias_fl there
  bool skip = true;  // y = x + net(x), a `Residual` around the net; x has one channel then
};

/// What a file says of the model. Throws std::runtime_error with the path and the reason.
inline GuitarAmp guitar_amp_of(const JsonModel& model) {
  const auto& path = model.file.path;
  const Json& data = detail::json_at(path, model.document, "model_data");
  const auto size = [&](const char* key) { return detail::json_size(path, data, key); };
  const auto flag = [&](const char* key, bool otherwise) {  // 0, 1, false or true
    if (!data.contains(key)) return otherwise;
    const Json& value = data.at(key);
    if (value == 0 || value == false) return false;
    if (!(value == 1 || value == true))
      detail::throw_file(path, std::string(key) + ": wanted 0 or 1, given " + printable(value.dump()));
    return true;
  };
  const std::string type = detail::json_text(path, data, "unit_type");
  if (type != "LSTM" && type != "GRU")
    detail::throw_file(path, "unit_type: wanted LSTM or GRU, given " + printable(type));
  GuitarAmp amp{
      .lstm = type == "LSTM",
      .inputs = size("input_size"),
      .features = size("hidden_size"),
      .layers = data.contains("num_layers") ? detail::json_size(path, data, "num_layers", detail::kMostJsonLayers) : 1,
      .outputs = size("output_size"),
      .bias = flag("bias_fl", true),
      .skip = flag("skip", false)};
  if (amp.skip && amp.inputs != amp.outputs)
    detail::throw_file(path, "skip: wanted as many inputs as outputs, given " + std::to_string(amp.inputs) + " and " +
                                 std::to_string(amp.outputs));
  return amp;
}

/// A `Sequential` of a `Stack` of `Lstm` or `Gru`, also of one, and a `Linear`; within a `Residual` where it skips.
inline NameMap guitar_amp_map(const GuitarAmp& amp) {
  return torch_recurrent({.layers = amp.layers, .bias = amp.bias, .stack = true}).within("rec", "0") +
         torch_linear().within("lin", "1");
}

/// Throws std::runtime_error with the path and the reason. The numbers are rounded to `dtype`.
inline JsonModel read_guitar_amp(const std::filesystem::path& path, Dtype dtype = Dtype::f32) {
  JsonModel model{{}, detail::read_json(path)};
  model.file.path = path;
  guitar_amp_of(model);
  detail::read_state_dict(detail::json_at(path, model.document, "state_dict"), dtype, model.file);
  return model;
}

/// A document without weights, for a model that was trained here.
inline Json guitar_amp_document(const GuitarAmp& amp) {
  return {{"model_data",
           {{"model", "SimpleRNN"},
            {"input_size", amp.inputs},
            {"skip", amp.skip ? 1 : 0},
            {"output_size", amp.outputs},
            {"unit_type", amp.lstm ? "LSTM" : "GRU"},
            {"num_layers", amp.layers},
            {"hidden_size", amp.features},
            {"bias_fl", amp.bias}}}};
}

/// Writes the tensors that `export_tensors` gives, and of the document all that is not a tensor. Throws
/// std::runtime_error with the path and the reason.
inline void write_guitar_amp(const std::filesystem::path& path, const TensorFile& file, Json document) {
  document["state_dict"] = detail::state_dict_of(file, path);
  detail::write_json(path, document);
}

}  // namespace minrnn
