// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "commands.hpp"
#include "formats.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/tensor_file.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"

namespace convert {
namespace {

using minrnn::StoredTensor;
using minrnn::TensorFile;

TensorFile read(const Settings& settings) {
  return settings.format.empty() ? minrnn::read_safetensors(tool::path_of(settings.from), minrnn::FileAccess::map)
                                 : read_theirs(settings.from, settings).file;
}

std::uint64_t count(const StoredTensor& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1}, std::multiplies<>());
}

/// Throws where a number is not finite.
void check_finite(const TensorFile& file, const StoredTensor& tensor) {
  minrnn::detail::with_numbers(tensor, [&](const auto& number) {
    for (std::size_t i = 0; i < minrnn::detail::number_count(tensor); ++i)
      if (!std::isfinite(static_cast<double>(number(i))))
        throw tool::InputError(tool::shown(file.path.string()) + ": tensor " + minrnn::printable(tensor.name) +
                               ": value " + std::to_string(i) + " is not a finite number");
  });
}

}  // namespace

int inspect(const Settings& settings) {
  const TensorFile file = read(settings);
  std::vector<std::string> names, shapes;
  std::size_t width = 4, shape_width = 5, bytes = 0;
  std::uint64_t numbers = 0;
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
    row(names[i], minrnn::printable(minrnn::detail::dtype_text(file.tensors[i])), shapes[i],
        std::to_string(file.tensors[i].bytes.size()));
  for (const auto& [key, value] : file.metadata)
    tool::say("metadata %s: %s\n", minrnn::printable(key).c_str(), minrnn::printable(value, 1000).c_str());
  tool::say("%zu tensors, %s numbers, %zu bytes\n", file.tensors.size(), std::to_string(numbers).c_str(), bytes);
  return 0;
}

int check_file(const Settings& settings) {
  const TensorFile file = read(settings);
  std::uint64_t numbers = 0;
  std::size_t unknown = 0;
  for (const StoredTensor& tensor : file.tensors) {
    if (tensor.dtype == minrnn::Dtype::other) {
      ++unknown;
      continue;
    }
    numbers += count(tensor);
    check_finite(file, tensor);
  }
  const std::string rest =
      unknown == 0 ? "" : "; " + std::to_string(unknown) + " tensors of other types are not looked at";
  tool::say("%s: %zu tensors, %s numbers, all of them finite%s\n", tool::shown(settings.from).c_str(),
            file.tensors.size() - unknown, std::to_string(numbers).c_str(), rest.c_str());
  return 0;
}

}  // namespace convert
