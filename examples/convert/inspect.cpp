// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "commands.hpp"
#include "formats.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/safetensors.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"

namespace convert {
namespace {

using minrnn::Dtype;
using minrnn::StoredTensor;
using minrnn::TensorFile;

TensorFile read(const Settings& settings) {
  return settings.format.empty() ? minrnn::read_safetensors(settings.from) : read_theirs(settings.from, settings).file;
}

bool is_float(const StoredTensor& tensor) { return tensor.dtype == Dtype::f32 || tensor.dtype == Dtype::f64; }

std::size_t count(const StoredTensor& tensor) {
  return tensor.bytes.size() / static_cast<std::size_t>(minrnn::detail::dtype_entry(tensor.dtype).size);
}

}  // namespace

int inspect(const Settings& settings) {
  const TensorFile file = read(settings);
  std::vector<std::string> names, shapes;
  std::size_t width = 4, shape_width = 5, numbers = 0, bytes = 0;
  for (const StoredTensor& tensor : file.tensors) {
    std::string shape;
    for (const std::uint64_t size : tensor.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(size);
    names.push_back(minrnn::printable(tensor.name));
    shapes.push_back(shape.empty() ? "one number" : shape);
    width = std::max(width, names.back().size());
    shape_width = std::max(shape_width, shapes.back().size());
    numbers += count(tensor);
    bytes += tensor.bytes.size();
  }
  const auto row = [&](const std::string& name, const std::string& type, const std::string& shape,
                       const std::string& size) {
    tool::say("%-*s  %-4s  %-*s  %12s\n", static_cast<int>(width), name.c_str(), type.c_str(),
              static_cast<int>(shape_width), shape.c_str(), size.c_str());
  };
  row("name", "type", "shape", "bytes");
  for (std::size_t i = 0; i < names.size(); ++i)
    row(names[i], std::string(minrnn::detail::dtype_entry(file.tensors[i].dtype).text), shapes[i],
        std::to_string(file.tensors[i].bytes.size()));
  for (const auto& [key, value] : file.metadata)
    tool::say("metadata %s: %s\n", minrnn::printable(key).c_str(), minrnn::printable(value, 1000).c_str());
  tool::say("%zu tensors, %zu numbers, %zu bytes\n", file.tensors.size(), numbers, bytes);
  return 0;
}

int check_file(const Settings& settings) {
  const TensorFile file = read(settings);
  std::size_t numbers = 0;
  for (const StoredTensor& tensor : file.tensors) {
    numbers += count(tensor);
    if (!is_float(tensor)) continue;
    const auto values = minrnn::detail::numbers_of(tensor);
    const auto bad = std::find_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
    if (bad != values.end())
      throw tool::InputError(tool::shown(settings.from) + ": tensor " + minrnn::printable(tensor.name) + ": value " +
                             std::to_string(bad - values.begin()) + " is not a finite number");
  }
  tool::say("%s: %zu tensors, %zu numbers, all of them finite\n", tool::shown(settings.from).c_str(),
            file.tensors.size(), numbers);
  return 0;
}

}  // namespace convert
