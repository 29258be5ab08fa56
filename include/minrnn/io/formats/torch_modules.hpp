// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/io/formats/torch.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/names_of.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace minrnn {

namespace detail {

/// "a.b" of "a.b.weight", and what is behind it.
struct ModuleName {
  std::string module, tensor;
};
inline ModuleName module_name(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

/// More frames no convolution sees; a size that is no `Index` least of all.
inline constexpr std::uint64_t kMostTaps = 1 << 30;

/// The table of a module that has a tensor "weight" of this shape; empty where its kind is not known.
inline NameMap torch_module(const std::string& module, const Shape& shape, bool has_bias) {
  const TorchOptions options{.bias = has_bias};
  if (shape.size() == 3 && shape[1] == 1) return torch_depthwise_conv1d(options);
  if (shape.size() == 3 && shape[2] >= 1 && shape[2] <= kMostTaps)
    return torch_conv1d(static_cast<Index>(shape[2]), options);
  const bool is_embedding = !has_bias && module_name(module).tensor.find("emb") != std::string::npos;
  if (shape.size() == 2) return is_embedding ? torch_embedding() : torch_linear(options);
  if (shape.size() == 1) return has_bias ? torch_layer_norm() : torch_rms_norm();
  return {};
}

}  // namespace detail

/// A table for a file of any of PyTorch's modules that are known: each is the layer of its kind under its own path,
/// "encoder.rnn" under "encoder/rnn". What a module is, its names and shapes say:
///
///   weight_ih_l0 ...                  torch.nn.GRU or LSTM: `Gru` or `Lstm`, several of them in a `Stack`
///   weight (F, 1, K)                  a depthwise convolution: `Conv1d`
///   weight (H, F, K)                  a convolution: `Linear`, behind an `Unfold` of K frames where K is not 1
///   weight (H, F)                     `Linear`; without a bias, and "emb" in its name: `Embedding`
///   weight (F) with, without a bias   `LayerNorm`; `RmsNorm`. (That of a PReLU is read by `torch_prelu` alone.)
///
/// What is none of these has no place in the table, and `import_tensors` names it as left over.
inline NameMap torch_map_of(const TensorFile& file) {
  NameMap map;
  std::set<std::string> seen;
  for (const StoredTensor& tensor : file.tensors) {
    const auto [module, name] = detail::module_name(tensor.name);
    std::string ours = module;
    std::replace(ours.begin(), ours.end(), '.', '/');
    const std::string scope = module.empty() ? "" : module + ".";
    if (name == "weight")
      map += detail::torch_module(module, tensor.shape, detail::tensor_or_null(file, scope + "bias") != nullptr)
                 .within(module, ours);
    else if (name.starts_with("weight_ih_l") && seen.insert(module).second)
      map += torch_recurrent(torch_recurrent_options_of(file, module)).within(module, ours);
  }
  return map;
}

}  // namespace minrnn
