// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/names_of.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The modules of torch.nn and the layers that they are here. `within` puts them where they stand in a model:
///
///   NameMap map = torch_recurrent({.layers = 2}).within("rnn", "0") + torch_linear().within("fc", "1");
namespace minrnn {

struct TorchOptions {
  bool bias = true;
};

/// torch.nn.Linear: `Linear`. Without a bias there: with or without one here.
inline NameMap torch_linear(const TorchOptions& options = {}) {
  NameMap map{.entries = {{"weight", {"w"}}}};
  if (options.bias)
    map.entries.push_back({"bias", {"b"}});
  else
    map.zeros.push_back({"b", "w", false});
  return map;
}

/// torch.nn.Embedding: `Embedding`.
inline NameMap torch_embedding() { return {.entries = {{"weight", {"table"}, Form::transposed}}}; }

/// torch.nn.Conv1d(F, F, K, groups=F, dilation=D) behind (K - 1) D zeros on the left: `Conv1d` of this dilation.
/// Neither the dilation nor the padding is in the file.
inline NameMap torch_depthwise_conv1d(const TorchOptions& options = {}) {
  NameMap map{.entries = {{"weight", {"w"}, Form::with_middle_unit}}};
  if (options.bias)
    map.entries.push_back({"bias", {"b"}});
  else
    map.zeros.push_back({"b", "w"});
  return map;
}

/// torch.nn.Conv1d(F, H, K, dilation=D) behind (K - 1) D zeros on the left: the `Linear` behind an `Unfold` of K frames
/// and this dilation, which are not in the file. Throws std::invalid_argument for K below 1.
inline NameMap torch_conv1d(Index taps, const TorchOptions& options = {}) {
  detail::check_size("torch_conv1d", "taps", taps);
  NameMap map = torch_linear(options);
  map.entries.front().form = Form::with_taps_last;
  map.entries.front().taps = static_cast<std::uint64_t>(taps);
  return map;
}

/// torch.nn.Conv1d(F, H, 1), a convolution of one tap: `Linear`.
inline NameMap torch_pointwise_conv1d(const TorchOptions& options = {}) { return torch_conv1d(1, options); }

/// torch.nn.PReLU(F): `Prelu`.
inline NameMap torch_prelu() { return {.entries = {{"weight", {"alpha"}}}}; }

/// torch.nn.LayerNorm: `LayerNorm`, of the same epsilon.
inline NameMap torch_layer_norm(const TorchOptions& options = {}) {
  NameMap map{.entries = {{"weight", {"gain"}}}};
  if (options.bias)
    map.entries.push_back({"bias", {"bias"}});
  else
    map.zeros.push_back({"bias", "gain", false});
  return map;
}

/// torch.nn.RMSNorm: `RmsNorm`, of the same epsilon; without one there, of the smallest step of its numbers.
inline NameMap torch_rms_norm() { return {.entries = {{"weight", {"gain"}}}}; }

/// Linear, GELU, Linear in a torch.nn.Sequential: `Mlp`, with the same GELU. The names of the two linear maps.
inline NameMap torch_mlp(std::string_view first = "0", std::string_view second = "2") {
  const std::string in(first), out(second);
  return {.entries = {{in + ".weight", {"w_in"}},
                      {in + ".bias", {"b_in"}},
                      {out + ".weight", {"w_out"}},
                      {out + ".bias", {"b_out"}}}};
}

struct TorchRecurrentOptions {
  Index layers = 1;
  bool bias = true;
  bool bidirectional = false;
  bool stack = false;  // whether ours are in a `Stack` even where there is one layer
};

/// torch.nn.GRU: `Gru`; torch.nn.LSTM: `Lstm`. Several layers: a `Stack` of them; bidirectional: of `Bidirectional`.
/// The rows are in the same order on both sides, r, z, n and i, f, g, o.
inline NameMap torch_recurrent(const TorchRecurrentOptions& options = {}) {
  NameMap map;
  for (Index l = 0; l < options.layers; ++l)
    for (const bool reverse : {false, true}) {
      if (reverse && !options.bidirectional) continue;
      const std::string suffix = "_l" + std::to_string(l) + (reverse ? "_reverse" : "");
      NameMap layer{.entries = {{"weight_ih" + suffix, {"weight_ih"}}, {"weight_hh" + suffix, {"weight_hh"}}},
                    .refusals = {{"weight_hr" + suffix, "proj_size: an LSTM that projects its output is not read"}}};
      for (const char* bias : {"bias_ih", "bias_hh"}) {
        if (options.bias)
          layer.entries.push_back({bias + suffix, {bias}});
        else
          layer.zeros.push_back({bias, "weight_hh"});
      }
      if (options.bidirectional) layer = layer.within("", reverse ? "backward" : "forward");
      map += layer.within("", options.layers > 1 || options.stack ? std::to_string(l) : "");
    }
  return map;
}

/// What the names in a file say of such a module, of which all begin with `scope` and a dot, or with nothing.
inline TorchRecurrentOptions torch_recurrent_options_of(const TensorFile& file, std::string_view scope = "") {
  const std::string weights = (scope.empty() ? std::string() : std::string(scope) + ".") + "weight_ih_l";
  const std::string biases = (scope.empty() ? std::string() : std::string(scope) + ".") + "bias_ih_l0";
  return {.layers = std::max<Index>(detail::count_layers(file, weights, ""), 1),
          .bias = detail::has_names(file, biases),
          .bidirectional = detail::has_names(file, weights + "0_reverse")};
}

}  // namespace minrnn
