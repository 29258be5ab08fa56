// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/io/tensor_file.hpp"

/// What the names in a file say of the model.
namespace minrnn::detail {

/// The tensor of this name, or null.
inline const StoredTensor* tensor_or_null(const TensorFile& file, std::string_view name) {
  for (const StoredTensor& tensor : file.tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

/// Whether a name begins so.
inline bool has_names(const TensorFile& file, std::string_view prefix) {
  for (const StoredTensor& tensor : file.tensors)
    if (tensor.name.starts_with(prefix)) return true;
  return false;
}

/// The number of layers whose names begin with "<prefix><number>", followed by `end`, from 0 on without a gap.
inline Index count_layers(const TensorFile& file, const std::string& prefix, const std::string& end = ".") {
  Index count = 0;
  while (has_names(file, prefix + std::to_string(count) + end)) ++count;
  return count;
}

}  // namespace minrnn::detail
