// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"

/// What a file of RTNeural says of its layers.
namespace minrnn {

/// A convolution over time, of the present frame and earlier ones. A conv2d is one over the features of a frame, too: a
/// frame has some filters of each feature, the filters fastest. In a conv1d all are filters of one feature.
struct RtNeuralConvolution {
  Index taps = 1, dilation = 1;  // over time: the kernel; frames from one tap to the next
  Index groups = 1;              // of filters that see no other group
  Index filters_in = 0, filters_out = 0;
  Index features_in = 1, features_out = 1;
  Index width = 1, stride = 1;  // over features: the kernel; features from one output to the next
  bool same = false;            // features are padded with zeros: as many out as in, over the stride
};

/// A layer of theirs.
struct RtNeuralLayer {
  std::string type;  // dense, gru, lstm, activation, conv1d, conv2d, prelu, batchnorm or batchnorm2d
  Index inputs = 0, outputs = 0;
  /// What an activation computes, or what is behind a dense layer or a convolution, which here is a layer of its own:
  /// tanh, relu, sigmoid, softmax or elu; empty where there is none.
  std::string activation = {};
  bool bias = true;  // of a dense layer or a convolution
  RtNeuralConvolution convolution = {};
  Index channels = 0;  // of a batch normalisation or a prelu: how many numbers, which repeat over the features
  bool affine = true;  // a batch normalisation that has a gamma and a beta
  double epsilon = 0;  // of a batch normalisation

  bool is_norm() const { return type == "batchnorm" || type == "batchnorm2d"; }
};

namespace detail {

/// A layer as it stands in the file; messages begin with its number.
class RtNeuralEntry {
 public:
  RtNeuralEntry(const std::filesystem::path& path, std::string place, const Json& entry)
      : path_(path), place_(std::move(place)), entry_(entry) {}

  [[noreturn]] void fail(const std::string& reason) const { throw_file(path_, place_ + reason); }
  bool has(const char* key) const { return entry_.is_object() && entry_.contains(key); }
  const Json& at(const char* key) const {
    if (!has(key)) fail(std::string(key) + ": missing");
    return entry_.at(key);
  }
  /// A size, or the last of an array of them.
  Index size(const char* key) const { return size_of(key, last_of(at(key))); }
  Index size_or_one(const char* key) const { return has(key) ? size(key) : 1; }
  std::string text(const char* key) const {
    if (!at(key).is_string()) fail(std::string(key) + ": wanted a string, given " + at(key).type_name());
    return at(key).get<std::string>();
  }

  /// (batch, features), (batch, time, features) or (batch, time, features, filters).
  struct Sizes {
    Index frames = 0;  // 0: not said
    Index features = 1, filters = 0;
    Index all() const { return features * filters; }
  };
  Sizes sizes(const char* key) const {
    const Json& shape = at(key);
    if (!shape.is_array() || shape.empty()) fail(std::string(key) + ": wanted an array of sizes");
    Sizes sizes;
    if (shape.size() >= 3 && shape[1].is_number_integer()) sizes.frames = size_of(key, shape[1]);
    if (shape.size() == 4) sizes.features = size_of(key, shape[2]);
    sizes.filters = size_of(key, shape.back());
    if (std::int64_t{sizes.features} * sizes.filters > kMostJsonSize)
      fail(std::string(key) + ": wanted at most " + std::to_string(kMostJsonSize) + " features, given " +
           printable(shape.dump()));
    return sizes;
  }
  void check_value(const char* key, Index wanted, Index given) const {
    if (wanted != given)
      fail(std::string(key) + ": wanted " + std::to_string(wanted) + ", given " + std::to_string(given));
  }
  /// How many arrays its weights are.
  std::size_t arrays() const { return has("weights") && at("weights").is_array() ? at("weights").size() : 0; }
  const std::filesystem::path& path() const { return path_; }

 private:
  static const Json& last_of(const Json& value) { return value.is_array() && !value.empty() ? value.back() : value; }
  Index size_of(const std::string& key, const Json& value) const {
    return json_size(path_, Json{{place_ + key, value}}, place_ + key);
  }

  const std::filesystem::path& path_;
  std::string place_;
  const Json& entry_;
};

/// Throws where frames are left out in another way than by the taps that would see what is before the first.
inline void check_rtneural_frames(const RtNeuralEntry& entry, const std::string& type, const RtNeuralConvolution& c,
                                  Index before, Index after) {
  const std::int64_t span = std::int64_t{c.taps - 1} * c.dilation;
  if (span > kMostJsonSize)
    entry.fail("dilation: wanted to see at most " + std::to_string(kMostJsonSize) + " earlier frames, given " +
               std::to_string(span));
  if (before == 0 || after == 0 || after == before || after == before - span) return;
  entry.fail(type + ": wanted " + std::to_string(before) + " frames out, or " + std::to_string(before - span) +
             " without padding, given " + std::to_string(after) + ": no stride over time is read");
}

/// Throws where a size is not that of the others.
inline RtNeuralConvolution rtneural_conv1d(const RtNeuralEntry& entry, Index inputs, Index outputs) {
  RtNeuralConvolution c;
  c.taps = entry.size("kernel_size");
  c.dilation = entry.size("dilation");
  c.groups = entry.size_or_one("groups");
  c.filters_in = inputs;
  c.filters_out = outputs;
  if (inputs % c.groups != 0 || outputs % c.groups != 0)
    entry.fail("groups: wanted a divisor of " + std::to_string(inputs) + " features in and " + std::to_string(outputs) +
               " out, given " + std::to_string(c.groups));
  if (entry.has("strides")) entry.check_value("strides", 1, entry.size("strides"));
  if (!entry.has("padding")) return c;
  const std::string padding = entry.text("padding");
  if (padding != "causal" && padding != "valid")
    entry.fail("padding: wanted causal or valid, given " + printable(padding));
  return c;
}
inline RtNeuralConvolution rtneural_conv2d(const RtNeuralEntry& entry, Index inputs, const RtNeuralEntry::Sizes& out) {
  RtNeuralConvolution c;
  c.taps = entry.size("kernel_size_time");
  c.width = entry.size("kernel_size_feature");
  c.dilation = entry.size("dilation");
  c.stride = entry.size("strides");
  c.filters_in = entry.size("num_filters_in");
  c.features_in = entry.size("num_features_in");
  c.filters_out = entry.size("num_filters_out");
  const std::string padding = entry.text("padding");
  if (padding != "same" && padding != "valid") entry.fail("padding: wanted same or valid, given " + printable(padding));
  c.same = padding == "same";
  if (std::int64_t{c.features_in} * c.filters_in != inputs)
    entry.fail("num_features_in times num_filters_in: wanted " + std::to_string(inputs) + ", given " +
               std::to_string(c.features_in) + " times " + std::to_string(c.filters_in));
  if (!c.same && c.width > c.features_in)
    entry.fail("kernel_size_feature: wanted at most " + std::to_string(c.features_in) + " without padding, given " +
               std::to_string(c.width));
  c.features_out = (c.features_in - (c.same ? 1 : c.width)) / c.stride + 1;
  if (out.features != c.features_out || out.filters != c.filters_out)
    entry.fail("shape: wanted " + std::to_string(c.features_out) + " features of " + std::to_string(c.filters_out) +
               " filters, given " + std::to_string(out.features) + " of " + std::to_string(out.filters));
  return c;
}

/// The activation of a layer of this type, empty where it has none.
inline std::string rtneural_activation(const RtNeuralEntry& entry, const std::string& type) {
  const Json name = entry.has("activation") ? entry.at("activation") : Json("");
  const bool is_activation = type == "activation";
  const bool may_have = type == "dense" || type == "conv1d" || type == "conv2d";
  if (may_have || is_activation)
    for (const char* function : {"tanh", "relu", "sigmoid", "softmax", "elu"})
      if (name == function) return function;
  const bool is_recurrent = type == "gru" || type == "lstm";
  const bool is_none = name == "" || name.is_null() || name == (is_recurrent ? "tanh" : "linear");
  if (is_activation || !is_none) entry.fail(type + " with activation " + printable(name.dump()) + " is not read");
  return {};
}

/// How many numbers a batch normalisation or a prelu has, one for each filter, or one for all.
inline Index rtneural_channels(const RtNeuralEntry& entry, const RtNeuralLayer& layer) {
  if (layer.type == "batchnorm2d") {
    const Index channels = entry.size("num_filters_in"), features = entry.size("num_features_in");
    if (std::int64_t{channels} * features != layer.inputs)
      entry.fail("num_features_in times num_filters_in: wanted " + std::to_string(layer.inputs) + ", given " +
                 std::to_string(features) + " times " + std::to_string(channels));
    return channels;
  }
  if (layer.type != "prelu" || entry.arrays() != 1) return layer.inputs;
  const Json& alpha = entry.at("weights").front();  // (1, F), or (1, 1): one for all
  return alpha.is_array() && alpha.size() == 1 && alpha.front().is_array() && alpha.front().size() == 1 ? 1
                                                                                                        : layer.inputs;
}

inline RtNeuralLayer rtneural_layer(const RtNeuralEntry& entry, const RtNeuralEntry::Sizes& before,
                                    const RtNeuralEntry::Sizes& after) {
  RtNeuralLayer layer{entry.text("type"), before.all(), after.all()};
  std::string& type = layer.type;
  if (type == "time-distributed-dense") type = "dense";
  const bool has_product = type == "dense" || type == "conv1d" || type == "conv2d";
  const bool keeps_size = layer.is_norm() || type == "activation" || type == "prelu";
  if (!has_product && !keeps_size && type != "gru" && type != "lstm")
    entry.fail("wanted dense, gru, lstm, activation, conv1d, conv2d, prelu, batchnorm or batchnorm2d, given " +
               printable(type));
  layer.activation = rtneural_activation(entry, type);
  if (layer.activation == "softmax" && after.features > 1) entry.fail("softmax of several features is not read");
  if (keeps_size && layer.outputs != layer.inputs)
    entry.fail(type + ": wanted a shape of " + std::to_string(layer.inputs) + " features, given " +
               std::to_string(layer.outputs));
  if (has_product) layer.bias = entry.arrays() != 1;
  if (type == "conv1d") layer.convolution = rtneural_conv1d(entry, layer.inputs, layer.outputs);
  if (type == "conv2d") layer.convolution = rtneural_conv2d(entry, layer.inputs, after);
  check_rtneural_frames(entry, type, layer.convolution, has_product && type != "dense" ? before.frames : 0,
                        after.frames);
  if (layer.is_norm() || type == "prelu") layer.channels = rtneural_channels(entry, layer);
  if (!layer.is_norm()) return layer;
  layer.affine = entry.arrays() != 2;
  const Json& epsilon = entry.at("epsilon");
  layer.epsilon = epsilon.is_number() ? epsilon.get<double>() : -1;
  if (!is_finite(layer.epsilon) || layer.epsilon < 0)
    entry.fail("epsilon: wanted a number of at least 0, given " + printable(epsilon.dump()));
  return layer;
}

}  // namespace detail

/// What a file says of the layers. Throws std::runtime_error with the path and the reason, also for another kind of
/// layer or activation.
inline std::vector<RtNeuralLayer> rtneural_layers(const JsonModel& model) {
  const auto& path = model.file.path;
  auto before = detail::RtNeuralEntry(path, "", model.document).sizes("in_shape");
  const Json& list = detail::json_at(path, model.document, "layers");
  if (!list.is_array() || list.empty()) detail::throw_file(path, "layers: wanted an array of at least one");
  std::vector<RtNeuralLayer> layers;
  for (const Json& json : list) {
    const detail::RtNeuralEntry entry(path, "layers[" + std::to_string(layers.size()) + "]: ", json);
    const auto after = entry.sizes("shape");
    layers.push_back(detail::rtneural_layer(entry, before, after));
    before = after;
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

}  // namespace minrnn
