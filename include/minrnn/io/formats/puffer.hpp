// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/atomic_file.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

/// The policies of PufferLib: floats behind each other without a header, each tensor at a multiple of 8 of them. Only
/// who knows the sizes can read them.
///
///   const PufferOptions sizes{.inputs = 10, .features = 64, .outputs = 5, .layers = 2};
///   Sequential net(Linear<float>(10, 64, random.stream(0), {.bias = false}),
///                  Stack(2, [&](Index i) {
///                    return Highway(MinGru<float>(64, 64, random.stream(2 * i + 2)), random.stream(2 * i + 3));
///                  }),
///                  Linear<float>(64, 5, random.stream(1), {.bias = false}));
///   import_tensors(read_puffer("policy.bin", sizes), puffer_map(sizes), net);
///
/// Source      src/puffercpu.c of github.com/PufferAI/PufferLib
namespace minrnn {

struct PufferOptions {
  Index inputs = 0;    // observations, to be set
  Index features = 0;  // hidden_size, to be set
  Index outputs = 0;   // logits of all actions, and one value; to be set
  Index layers = 1;
  Index deviations = 0;  // of continuous actions: their number, each with the logarithm of a deviation
};

/// A `Sequential` of a `Linear`, a `Stack` of `Highway` around `MinGru`, also of one, and a `Linear`, both without a
/// bias. With deviations the net is named "net", beside a `Matrix` of one column, "log_std".
inline NameMap puffer_map(const PufferOptions& options) {
  NameMap map;
  map.entries = {{"encoder", {"0/w"}}, {"decoder", {"2/w"}}};
  for (Index l = 0; l < options.layers; ++l) {
    const std::string number = std::to_string(l), layer = "1/" + number + "/";
    map.entries.push_back({"layers." + number, {layer + "inner/w_h", layer + "inner/w_z", layer + "w_p"}});
    map.zeros.push_back({layer + "inner/b_h", layer + "inner/w_h"});
    map.zeros.push_back({layer + "inner/b_z", layer + "inner/w_z"});
  }
  if (options.deviations == 0) return map;
  map = map.within("", "net");
  map.entries.push_back({"log_std", {"log_std"}, Form::flat});
  return map;
}

namespace detail {
inline std::vector<std::pair<std::string, Shape>> puffer_tensors(const PufferOptions& options) {
  constexpr std::string_view kWhere = "puffer";
  check_size(kWhere, "inputs", options.inputs);
  check_size(kWhere, "features", options.features);
  check_size(kWhere, "outputs", options.outputs);
  check_size(kWhere, "layers", options.layers);
  check_that(options.deviations >= 0 && options.deviations <= kMostSize, kWhere, "deviations", "a size, or 0",
             options.deviations);
  check_product(kWhere, "inputs times features", options.inputs, options.features);
  check_product(kWhere, "outputs times features", options.outputs, options.features);
  check_product(kWhere, "features times features", options.features, options.features);
  const auto size = [](Index n) { return static_cast<std::uint64_t>(n); };
  std::vector<std::pair<std::string, Shape>> tensors{{"encoder", {size(options.features), size(options.inputs)}},
                                                     {"decoder", {size(options.outputs), size(options.features)}}};
  if (options.deviations > 0) tensors.push_back({"log_std", {size(options.deviations)}});
  for (Index l = 0; l < options.layers; ++l)
    tensors.push_back({"layers." + std::to_string(l), {size(3 * options.features), size(options.features)}});
  return tensors;
}
inline constexpr std::uint64_t kPufferAlignment = 32;  // bytes
inline std::uint64_t puffer_padding(std::uint64_t bytes) {
  return (kPufferAlignment - bytes % kPufferAlignment) % kPufferAlignment;
}
}  // namespace detail

/// Throws std::runtime_error with the path and the reason: where the size of the file is not that of such tensors, or a
/// number between two of them is not zero; std::invalid_argument for a size below 1. What is behind the last one may be
/// missing.
inline TensorFile read_puffer(const std::filesystem::path& path, const PufferOptions& options) {
  const std::string bytes = detail::InputFile(path).read_all();
  TensorFile file;
  file.path = path;
  const auto shapes = detail::puffer_tensors(options);
  std::uint64_t least = 0, most = 0;
  for (const auto& [name, shape] : shapes) {
    least = most + *detail::byte_count(Dtype::f32, shape);
    most = least + detail::puffer_padding(least);
  }
  if (bytes.size() < least || bytes.size() > most || bytes.size() % sizeof(float) != 0)
    detail::throw_file(path, "wanted " + std::to_string(least / 4) + " to " + std::to_string(most / 4) +
                                 " floats for these sizes, given " + std::to_string(bytes.size()) + " bytes");
  std::size_t begin = 0;
  for (const auto& [name, shape] : shapes) {
    StoredTensor& tensor = file.tensors.emplace_back();
    tensor.name = name;
    tensor.shape = shape;
    const std::size_t size = detail::memory_size(*detail::byte_count(Dtype::f32, shape));
    tensor.bytes.resize(size);
    std::memcpy(tensor.bytes.data(), bytes.data() + begin, size);
    const std::size_t end = begin + size;
    begin = end + detail::memory_size(detail::puffer_padding(end));
    if (bytes.find_first_not_of('\0', end) < begin)
      detail::throw_file(path, "tensor " + name + ": wanted zeros behind it, given other numbers: other sizes?");
  }
  return file;
}

/// Writes the tensors that `export_tensors` gives. Throws std::runtime_error with the path and the reason, also for
/// tensors that are not of these sizes; std::invalid_argument for a size below 1.
inline void write_puffer(const std::filesystem::path& path, const TensorFile& file, const PufferOptions& options) {
  const auto tensors = detail::tensors_by_name(file);
  for (const auto& [name, shape] : detail::puffer_tensors(options)) {
    const StoredTensor& tensor = detail::tensor_of_shape(tensors, name, shape, path);
    detail::check_shape(path, tensor, Dtype::f32, shape);
  }
  AtomicFile out(path);
  for (const auto& [name, shape] : detail::puffer_tensors(options)) {
    const StoredTensor& tensor = *tensors.at(name);
    const std::byte zeros[detail::kPufferAlignment] = {};
    out.write(tensor.bytes.data(), tensor.bytes.size());
    out.write(zeros, detail::memory_size(detail::puffer_padding(tensor.bytes.size())));
  }
  out.commit();
}

}  // namespace minrnn
