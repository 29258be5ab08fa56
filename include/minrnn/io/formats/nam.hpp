// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/torch.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// LSTMs of Neural Amp Modeler, files that end in .nam. Their state begins where the training left it, not at zero:
///
///   const JsonModel amp = read_nam("amp.nam");
///   Sequential net(Stack(1, [&](Index) { return Lstm<float>(1, 16, random.stream(0)); }),
///                  Linear<float>(16, 1, random.stream(1)));
///   auto first = net.initial_state(1);
///   import_tensors(amp.file, nam_map(nam_of(amp)), Parts(Part{"net", net}, Part{"state", first}));
namespace minrnn {

struct Nam {
  Index inputs = 1;
  Index features = 16;  // hidden_size
  Index layers = 1;
  Index outputs = 1;
};

/// What a file says of the model. Throws std::runtime_error with the path and the reason.
inline Nam nam_of(const JsonModel& model) {
  const auto& path = model.file.path;
  const std::string architecture = detail::json_text(path, model.document, "architecture");
  if (architecture != "LSTM")
    detail::throw_file(path, "architecture: wanted LSTM, given " + printable(architecture) + ", which is not read");
  const Json& config = detail::json_at(path, model.document, "config");
  const auto size = [&](const char* key) { return detail::json_size(path, config, key); };
  return {.inputs = size("input_size"),
          .features = size("hidden_size"),
          .layers = detail::json_size(path, config, "num_layers", detail::kMostJsonLayers),
          .outputs = config.contains("out_channels") ? size("out_channels") : 1};
}

/// "net", a `Sequential` of a `Stack` of `Lstm`, also of one, and a `Linear`; and "state", its first state of one
/// sequence. Their weights of input and state are one matrix, and their two biases are one.
inline NameMap nam_map(const Nam& nam) {
  NameMap map;
  for (Index l = 0; l < nam.layers; ++l) {
    const std::string theirs = "layers." + std::to_string(l) + ".", number = std::to_string(l);
    const std::string layer = "net/0/" + number + "/", state = "state/0/" + number + "/";
    const Index inputs = l == 0 ? nam.inputs : nam.features;
    map.entries.push_back({theirs + "w",
                           {{layer + "weight_ih", inputs}, {layer + "weight_hh", nam.features}},
                           Form::same,
                           Along::columns});
    map.entries.push_back(
        {theirs + "bias", {layer + "bias_ih", layer + "bias_hh"}, Form::same, Along::rows, Value::sum});
    map.entries.push_back({theirs + "h", {state + "h"}, Form::flat});
    map.entries.push_back({theirs + "c", {state + "c"}, Form::flat});
  }
  return map + torch_linear().within("head", "net/1");
}

namespace detail {
/// Names and shapes of the tensors whose numbers stand behind each other under "weights".
inline std::vector<std::pair<std::string, Shape>> nam_tensors(const Nam& nam) {
  const auto size = [](Index n) { return static_cast<std::uint64_t>(n); };
  std::vector<std::pair<std::string, Shape>> tensors;
  for (Index l = 0; l < nam.layers; ++l) {
    const std::string scope = "layers." + std::to_string(l) + ".";
    const Index inputs = l == 0 ? nam.inputs : nam.features;
    tensors.push_back({scope + "w", {size(4 * nam.features), size(inputs + nam.features)}});
    tensors.push_back({scope + "bias", {size(4 * nam.features)}});
    tensors.push_back({scope + "h", {size(nam.features)}});
    tensors.push_back({scope + "c", {size(nam.features)}});
  }
  tensors.push_back({"head.weight", {size(nam.outputs), size(nam.features)}});
  tensors.push_back({"head.bias", {size(nam.outputs)}});
  return tensors;
}
}  // namespace detail

/// Throws std::runtime_error with the path and the reason. The numbers are rounded to `dtype`.
inline JsonModel read_nam(const std::filesystem::path& path, Dtype dtype = Dtype::f32) {
  JsonModel model{{}, detail::read_json(path)};
  model.file.path = path;
  const Nam nam = nam_of(model);
  const StoredTensor all =
      detail::JsonNumbers(path, "weights", dtype).read(detail::json_at(path, model.document, "weights"));
  std::uint64_t wanted = 0;
  std::vector<StoredTensor> tensors;
  for (const auto& [name, shape] : detail::nam_tensors(nam)) {
    const std::uint64_t begin = wanted;
    wanted += *detail::byte_count(dtype, shape);
    if (wanted > all.bytes.size()) continue;
    const auto at = [&](std::uint64_t byte) { return all.bytes.begin() + static_cast<std::ptrdiff_t>(byte); };
    model.file.tensors.push_back({name, dtype, shape, std::vector<std::byte>(at(begin), at(wanted))});
  }
  if (all.shape.size() != 1 || wanted != all.bytes.size())
    detail::throw_file(path, "weights: wanted " + std::to_string(wanted / detail::dtype_entry(dtype).size) +
                                 " numbers for the sizes of config, given " +
                                 std::to_string(all.bytes.size() / detail::dtype_entry(dtype).size));
  return model;
}

/// A document without weights, for a model that was trained here, of sounds with so many samples a second.
inline Json nam_document(const Nam& nam, double sample_rate) {
  return {{"version", "0.5.4"},
          {"architecture", "LSTM"},
          {"config", {{"input_size", nam.inputs}, {"hidden_size", nam.features}, {"num_layers", nam.layers}}},
          {"sample_rate", sample_rate}};
}

/// Writes the tensors that `export_tensors` gives, and of the document all that is not a tensor. Throws
/// std::runtime_error with the path and the reason, also for tensors that are not those of the document's config.
inline void write_nam(const std::filesystem::path& path, const TensorFile& file, Json document) {
  JsonModel model{{}, std::move(document)};
  model.file.path = path;
  const auto tensors = detail::tensors_by_name(file);
  Json weights = Json::array();
  for (const auto& [name, shape] : detail::nam_tensors(nam_of(model))) {
    const StoredTensor& tensor = detail::tensor_of_shape(tensors, name, shape, path);
    for (const double number : detail::finite_numbers(tensor, path)) weights.push_back(number);
  }
  model.document["weights"] = std::move(weights);
  detail::write_json(path, model.document);
}

}  // namespace minrnn
