// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "formats.hpp"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "minrnn/io/formats/guitar_amp.hpp"
#include "minrnn/io/formats/mamba.hpp"
#include "minrnn/io/formats/min_gru_pytorch.hpp"
#include "minrnn/io/formats/min_rnns.hpp"
#include "minrnn/io/formats/nam.hpp"
#include "minrnn/io/formats/puffer.hpp"
#include "minrnn/io/formats/rtneural.hpp"
#include "minrnn/io/formats/torch_modules.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/safetensors.hpp"
#include "support/errors.hpp"

namespace convert {
namespace {

using minrnn::Json;
using minrnn::JsonModel;
using minrnn::NameMap;
using minrnn::TensorFile;

NameMap lucidrains_map(const TensorFile& file) {
  const auto options = minrnn::lucidrains_options_of(file);
  if (options.layers > 0) return minrnn::lucidrains_min_lm(options);
  return minrnn::lucidrains_mixer({.mixer = options.mixer, .projection = options.projection});
}

/// A name on the command line, and how its files are read, mapped and written.
struct Format {
  std::string name;
  Theirs (*read)(const std::string& path, const Settings& settings);
  void (*write)(const std::string& path, const TensorFile& file, const Json& document, const Settings& settings);
};

template <NameMap (*map_of)(const TensorFile&)>
Theirs read_tensors(const std::string& path, const Settings&) {
  TensorFile file =
      minrnn::read_safetensors(tool::path_of(path), minrnn::FileAccess::map);  // of --like only the names are looked at
  NameMap map = map_of(file);
  return {std::move(file), {}, std::move(map), {}, {}};
}
void write_tensors(const std::string& path, const TensorFile& file, const Json&, const Settings&) {
  minrnn::write_safetensors(tool::path_of(path), file);
}

/// A model in a document as ours, of which the document also says the cells.
struct Ours {
  NameMap map;
  std::string cells, part;
};

template <JsonModel (*read)(const std::filesystem::path&, minrnn::Dtype), Ours (*ours_of)(const JsonModel&)>
Theirs read_document(const std::string& path, const Settings&) {
  JsonModel model = read(tool::path_of(path), minrnn::Dtype::f32);
  Ours ours = ours_of(model);
  return {std::move(model.file), std::move(model.document), std::move(ours.map), ours.cells, ours.part};
}
template <void (*write)(const std::filesystem::path&, const TensorFile&, Json)>
void write_document(const std::string& path, const TensorFile& file, const Json& document, const Settings&) {
  write(tool::path_of(path), file, document);
}

Theirs read_policy(const std::string& path, const Settings& settings) {
  return {minrnn::read_puffer(tool::path_of(path), settings.puffer), {}, minrnn::puffer_map(settings.puffer), {}, {}};
}
void write_policy(const std::string& path, const TensorFile& file, const Json&, const Settings& settings) {
  minrnn::write_puffer(tool::path_of(path), file, settings.puffer);
}

NameMap min_rnns_map_of(const TensorFile& file) { return minrnn::min_rnns_map(minrnn::min_rnns_options_of(file)); }
NameMap mamba_map_of(const TensorFile& file) { return minrnn::mamba_map(minrnn::mamba_options_of(file)); }
/// So many of a cell, one after the other.
std::string repeated(const std::string& cell, minrnn::Index count) {
  std::string text;
  for (minrnn::Index i = 0; i < count; ++i) text += cell + ", ";
  return text;
}
std::string within_residual(const std::string& cells, bool skips) { return skips ? "Residual (" + cells + ")" : cells; }

Ours of_rtneural(const JsonModel& model) {
  const auto layers = minrnn::rtneural_layers(model);
  std::string cells;
  const auto add = [&](const std::string& cell) { cells += (cells.empty() ? "" : ", ") + cell; };
  for (const auto& layer : layers) {
    const auto& [type, taps, dilation] = std::tie(layer.type, layer.convolution.taps, layer.convolution.dilation);
    if (taps > 1)
      add("Unfold(" + std::to_string(layer.inputs) + ", " + std::to_string(taps) +
          (dilation > 1 ? ", " + std::to_string(dilation) : "") + ')');
    if (type == "lstm") add("Lstm");
    if (type == "gru") add("Gru");
    if (type == "dense" || type == "conv1d" || type == "conv2d") add("Linear");
    if (type == "prelu") add("Prelu");
    if (layer.is_norm()) add("Conv1d");
    if (!layer.activation.empty()) add(layer.activation + " Activation");
  }
  return {minrnn::rtneural_map(layers), within_residual(cells, minrnn::rtneural_skips(model)), {}};
}
Ours of_nam(const JsonModel& model) {
  const minrnn::Nam nam = minrnn::nam_of(model);
  return {minrnn::nam_map(nam), repeated("Lstm", nam.layers) + "Linear", "net"};
}
Ours of_guitar_amp(const JsonModel& model) {
  const minrnn::GuitarAmp amp = minrnn::guitar_amp_of(model);
  return {minrnn::guitar_amp_map(amp),
          within_residual(repeated(amp.lstm ? "Lstm" : "Gru", amp.layers) + "Linear", amp.skip),
          {}};
}
NameMap torch_map_of(const TensorFile& file) { return minrnn::torch_map_of(file); }

const std::vector<Format>& formats() {
  static const std::vector<Format> list{
      {"torch", read_tensors<torch_map_of>, write_tensors},
      {"min-gru-pytorch", read_tensors<lucidrains_map>, write_tensors},
      {"min-rnns", read_tensors<min_rnns_map_of>, write_tensors},
      {"mamba", read_tensors<mamba_map_of>, write_tensors},
      {"rtneural", read_document<minrnn::read_rtneural, of_rtneural>, write_document<minrnn::write_rtneural>},
      {"nam", read_document<minrnn::read_nam, of_nam>, write_document<minrnn::write_nam>},
      {"guitar-amp", read_document<minrnn::read_guitar_amp, of_guitar_amp>, write_document<minrnn::write_guitar_amp>},
      {"puffer", read_policy, write_policy}};
  return list;
}

const Format& format_of(const Settings& settings) {
  for (const Format& format : formats())
    if (format.name == settings.format) return format;
  throw std::logic_error("format " + settings.format);  // the command line has been checked
}

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Format& format : formats()) list.push_back(format.name);
    return list;
  }();
  return names;
}

Theirs read_theirs(const std::string& path, const Settings& settings) {
  return format_of(settings).read(path, settings);
}

void write_theirs(const std::string& path, const TensorFile& file, const Theirs& like, const Settings& settings) {
  format_of(settings).write(path, file, like.document, settings);
}

}  // namespace convert
