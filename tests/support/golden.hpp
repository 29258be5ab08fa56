// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "minrnn/core/sequence.hpp"

namespace minrnn::tests {

/// A tensor of tests/golden, last dimension fastest.
struct GoldenTensor {
  std::vector<Index> sizes;
  std::vector<double> values;
};

/// The cases of a file that tests/golden/make_golden.py wrote, by name, and their tensors.
using GoldenCase = std::map<std::string, GoldenTensor>;

inline std::map<std::string, GoldenCase> read_golden(const std::string& file) {
  const std::string path = (std::filesystem::path(MINRNN_TEST_DATA_DIR) / file).string();
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path + ": cannot be opened");
  std::map<std::string, GoldenCase> cases;
  GoldenCase* current = nullptr;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find(':')));
    std::string name, word;
    words >> name;
    if (name == "case") {
      words >> word;
      current = &cases[word];
      continue;
    }
    if (current == nullptr) throw std::runtime_error(path + ": " + name + ": no case begins before it");
    GoldenTensor tensor;
    for (Index size; words >> size;) tensor.sizes.push_back(size);
    std::istringstream numbers(line.substr(line.find(':') + 1));
    for (double value; numbers >> value;) tensor.values.push_back(value);
    Index size = 1;
    for (const Index s : tensor.sizes) size *= s;
    if (static_cast<Index>(tensor.values.size()) != size) throw std::runtime_error(path + ": " + name + ": wrong size");
    current->emplace(name, tensor);
  }
  return cases;
}

/// A weight [rows][columns], or a vector, as our column-major matrix.
template <class S>
Matrix<S> golden_weight(const GoldenTensor& tensor) {
  const Index rows = tensor.sizes[0], columns = tensor.sizes.size() > 1 ? tensor.sizes[1] : 1;
  Matrix<S> m(rows, columns);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j)
      m(i, j) = static_cast<S>(tensor.values[static_cast<std::size_t>(i * columns + j)]);
  return m;
}

/// A state [B][H], which is our (H, B) byte for byte.
template <class S>
Matrix<S> golden_state(const GoldenTensor& tensor) {
  return golden_weight<S>(tensor).transpose();
}

/// A sequence [B][T][F], which is our (F, T, B) byte for byte.
template <class S>
Sequence<S> golden_sequence(const GoldenTensor& tensor) {
  Sequence<S> sequence(tensor.sizes[2], tensor.sizes[1], tensor.sizes[0]);
  for (Index i = 0; i < sequence.size(); ++i)
    sequence.data()[i] = static_cast<S>(tensor.values[static_cast<std::size_t>(i)]);
  return sequence;
}

}  // namespace minrnn::tests
