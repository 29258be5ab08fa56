// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/rtneural_layers.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The arrays of RTNeural as tensors that a layer of ours can have, and back. A convolution is the weight of a `Linear`
/// with zeros between groups, and with the same numbers again for each feature of a frame; a batch normalisation, whose
/// statistics no longer change, is a scale and a shift of each feature.
namespace minrnn::detail {

/// The arrays of a layer, in their order.
inline std::vector<std::string> rtneural_arrays(const RtNeuralLayer& layer) {
  if (layer.type == "activation") return {};
  if (layer.type == "prelu") return {"alpha"};
  if (layer.is_norm())
    return layer.affine ? std::vector<std::string>{"gamma", "beta", "mean", "variance"}
                        : std::vector<std::string>{"mean", "variance"};
  if (layer.type == "gru" || layer.type == "lstm") return {"kernel", "recurrent", "bias"};
  return layer.bias ? std::vector<std::string>{"kernel", "bias"} : std::vector<std::string>{"kernel"};
}
/// The tensors that they are here.
inline std::vector<std::string> rtneural_tensors(const RtNeuralLayer& layer) {
  return layer.is_norm() ? std::vector<std::string>{"scale", "shift"} : rtneural_arrays(layer);
}

/// The shape of a tensor that belongs to the sizes which a file names beside it.
inline Shape rtneural_shape(const RtNeuralLayer& layer, const std::string& kind) {
  const auto inputs = static_cast<std::uint64_t>(layer.inputs), outputs = static_cast<std::uint64_t>(layer.outputs);
  if (kind == "scale") return {outputs, 1};
  if (kind == "shift" || kind == "alpha") return {outputs};
  const std::uint64_t columns = outputs * (layer.type == "gru" ? 3 : layer.type == "lstm" ? 4 : 1);
  if (kind == "bias") return layer.type == "gru" ? Shape{2, columns} : Shape{columns};
  return {(kind == "kernel" ? inputs : outputs) * static_cast<std::uint64_t>(layer.convolution.taps), columns};
}
/// The shape of an array in the file.
inline Shape rtneural_array_shape(const RtNeuralLayer& layer, const std::string& kind) {
  const RtNeuralConvolution& c = layer.convolution;
  const auto shape = [](const auto... sizes) { return Shape{static_cast<std::uint64_t>(sizes)...}; };
  if (kind == "alpha") return shape(1, layer.channels);
  if (layer.channels > 0) return shape(layer.channels);
  if (layer.type == "conv1d" || layer.type == "conv2d") {
    if (kind == "bias") return shape(c.filters_out);
    return layer.type == "conv1d" ? shape(c.taps, c.filters_in / c.groups, c.filters_out)
                                  : shape(c.taps, c.width, c.filters_in, c.filters_out);
  }
  return rtneural_shape(layer, kind);
}

/// Calls body(of theirs, of ours) for each number of a kernel, as often as it stands in the weight (K F, H).
template <class Body>
void for_rtneural_kernel(const RtNeuralConvolution& c, const Body& body) {
  const Index per_group = c.filters_in / c.groups, outputs_per_group = c.filters_out / c.groups;
  const Index beyond = (c.features_out - 1) * c.stride + c.width - c.features_in;
  const Index left = c.same && beyond > 0 ? beyond / 2 : 0;  // zeros before the first feature
  const auto at = [](Index row, Index columns, Index column) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
  };
  for (Index tap = 0; tap < c.taps; ++tap)
    for (Index w = 0; w < c.width; ++w)
      for (Index out = 0; out < c.features_out; ++out) {
        const Index in = out * c.stride + w - left;
        if (in < 0 || in >= c.features_in) continue;
        for (Index i = 0; i < per_group; ++i)
          for (Index o = 0; o < c.filters_out; ++o) {
            const Index row = (tap * c.features_in + in) * c.filters_in + o / outputs_per_group * per_group + i;
            body(at((tap * c.width + w) * per_group + i, c.filters_out, o),
                 at(row, c.features_out * c.filters_out, out * c.filters_out + o));
          }
      }
}
/// Calls body(of theirs, of ours) for each number of a tensor. What is shorter in the file repeats here.
template <class Body>
void for_rtneural_numbers(const RtNeuralLayer& layer, const std::string& kind, std::size_t theirs, std::size_t ours,
                          const Body& body) {
  if (kind == "kernel" && layer.convolution.filters_out > 0) return for_rtneural_kernel(layer.convolution, body);
  for (std::size_t i = 0; i < ours; ++i) body(i % theirs, i);
}

/// An array of theirs as a tensor of ours. Throws where that would be unreasonably large.
inline StoredTensor rtneural_expanded(const std::filesystem::path& path, const RtNeuralLayer& layer,
                                      const std::string& kind, const StoredTensor& theirs) {
  constexpr std::uint64_t kMost = 1 << 26;
  StoredTensor ours{theirs.name, theirs.dtype, rtneural_shape(layer, kind), {}};
  std::uint64_t count = 1;
  for (const std::uint64_t size : ours.shape) count *= size;
  if (count > kMost)
    throw_tensor(path, theirs.name, "at most " + std::to_string(kMost) + " numbers of a layer",
                 describe(ours.dtype, ours.shape));
  const std::size_t size = memory_size(dtype_entry(theirs.dtype).size);
  ours.bytes.resize(memory_size(count) * size);
  for_rtneural_numbers(layer, kind, theirs.bytes.size() / size, memory_size(count), [&](std::size_t i, std::size_t k) {
    std::memcpy(ours.bytes.data() + k * size, theirs.bytes.data() + i * size, size);
  });
  return ours;
}
/// The other way. Throws where a number is another one than where it repeats, or not zero between groups or features.
inline StoredTensor rtneural_collapsed(const std::filesystem::path& path, const RtNeuralLayer& layer,
                                       const std::string& kind, const StoredTensor& ours) {
  StoredTensor theirs{ours.name, ours.dtype, rtneural_array_shape(layer, kind), {}};
  const std::size_t size = memory_size(dtype_entry(ours.dtype).size);
  theirs.bytes.resize(memory_size(*byte_count(theirs.dtype, theirs.shape)));
  for_rtneural_numbers(layer, kind, theirs.bytes.size() / size, ours.bytes.size() / size,
                       [&](std::size_t i, std::size_t k) {
                         std::memcpy(theirs.bytes.data() + i * size, ours.bytes.data() + k * size, size);
                       });
  if (rtneural_expanded(path, layer, kind, theirs).bytes != ours.bytes)
    throw_tensor(path, ours.name,
                 "the zeros and the equal numbers of a " + layer.type + " as " + describe(theirs.dtype, theirs.shape),
                 "others, as after training");
  return theirs;
}

/// A batch normalisation y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
class RtNeuralNorm {
 public:
  /// From the arrays of a file; of those of a document without numbers mean 0, variance 1, gamma 1, beta 0.
  RtNeuralNorm(const std::filesystem::path& path, const std::string& scope, const RtNeuralLayer& layer,
               const Json& weights)
      : path_(path), scope_(scope), layer_(layer) {
    const auto channels = static_cast<std::size_t>(layer.channels);
    gamma_.assign(channels, 1);
    beta_.assign(channels, 0);
    mean_ = beta_;
    variance_ = gamma_;
    const auto kinds = rtneural_arrays(layer);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (i >= weights.size() || weights[i].is_null()) continue;
      const StoredTensor tensor = JsonNumbers(path, scope + kinds[i], Dtype::f64).read(weights[i]);
      check_shape(path, tensor, Dtype::f64, rtneural_array_shape(layer, kinds[i]));
      (kinds[i] == "gamma"  ? gamma_
       : kinds[i] == "beta" ? beta_
       : kinds[i] == "mean" ? mean_
                            : variance_) = numbers<double>(tensor, Conversion::exact, path);
    }
    for (const double variance : variance_)
      if (!(variance + layer.epsilon > 0))
        throw_tensor(path, scope + "variance", "numbers above 0 with the epsilon", number_text(variance));
  }

  /// y = scale x + shift
  StoredTensor scale(Dtype dtype) const {
    return tensor(dtype, "scale", [&](std::size_t i) { return gamma_[i] / root(i); });
  }
  StoredTensor shift(Dtype dtype) const {
    return tensor(dtype, "shift", [&](std::size_t i) { return beta_[i] - gamma_[i] / root(i) * mean_[i]; });
  }
  /// Gamma and beta of these, for the mean and the variance as they are.
  Json arrays(const StoredTensor& scale, const StoredTensor& shift) const {
    const auto factors = finite_numbers(rtneural_collapsed(path_, layer_, "scale", scale), path_);
    const auto terms = finite_numbers(rtneural_collapsed(path_, layer_, "shift", shift), path_);
    Json gamma = Json::array(), beta = Json::array();
    for (std::size_t i = 0; i < factors.size(); ++i) {
      gamma.push_back(factors[i] * root(i));
      beta.push_back(terms[i] + factors[i] * mean_[i]);
    }
    return Json::array({gamma, beta, mean_, variance_});
  }

 private:
  double root(std::size_t i) const { return std::sqrt(variance_[i] + layer_.epsilon); }
  template <class Number>
  StoredTensor tensor(Dtype dtype, const std::string& kind, const Number& number) const {
    Json list = Json::array();
    for (std::size_t i = 0; i < gamma_.size(); ++i) list.push_back(number(i));
    return rtneural_expanded(path_, layer_, kind, JsonNumbers(path_, scope_ + kind, dtype).read(list));
  }

  const std::filesystem::path& path_;
  std::string scope_;
  const RtNeuralLayer& layer_;
  std::vector<double> gamma_, beta_, mean_, variance_;
};

}  // namespace minrnn::detail
