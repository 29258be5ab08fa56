// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "minrnn/io/numbers.hpp"
#include "minrnn/io/self_test.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/tensor_file.hpp"

/// Tensors as tests write them down.
namespace minrnn::tests {

template <class S = float>
StoredTensor tensor_of(const std::string& name, const std::vector<std::uint64_t>& shape, const std::vector<S>& values) {
  return minrnn::detail::tensor_of_numbers<S>(name, shape, values);
}
template <class S = float>
std::vector<S> values_of(const StoredTensor& tensor) {
  EXPECT_EQ(tensor.dtype, minrnn::detail::dtype_of<S>()) << tensor.name;
  std::vector<S> values(tensor.bytes.size() / sizeof(S));
  for (std::size_t i = 0; i < values.size(); ++i)
    minrnn::detail::copy_little_endian(&values[i], tensor.bytes.data() + i * sizeof(S), sizeof(S));
  return values;
}
/// 1, 2, 3, ...
template <class S = float>
std::vector<S> counting(std::size_t count, S first = 1) {
  std::vector<S> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<S>(i);
  return values;
}

inline TensorFile file_of_tensors(std::vector<StoredTensor> tensors) {
  TensorFile file;
  file.tensors = std::move(tensors);
  file.path = "there";
  return file;
}
inline const StoredTensor& tensor_named(const TensorFile& file, const std::string& name) {
  return find_tensor(file, name);
}

/// The same tensors, bit for bit, in any order.
inline ::testing::AssertionResult same_tensors(const TensorFile& a, const TensorFile& b) {
  if (a.tensors.size() != b.tensors.size())
    return ::testing::AssertionFailure() << a.tensors.size() << " and " << b.tensors.size() << " tensors";
  for (const StoredTensor& tensor : a.tensors) {
    const StoredTensor& other = tensor_named(b, tensor.name);
    if (tensor.dtype != other.dtype || tensor.shape != other.shape || tensor.bytes != other.bytes)
      return ::testing::AssertionFailure() << tensor.name << " differs";
  }
  return ::testing::AssertionSuccess();
}

}  // namespace minrnn::tests
