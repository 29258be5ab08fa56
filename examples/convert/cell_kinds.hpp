// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace convert {

using minrnn::Index;

/// The tensors of one layer in a file, and how they become numbers.
struct LayerTensors {
  minrnn::TensorFile file;  // their names are those of the whole file
  std::string path;         // of the layer, "0/mixer"; empty: it is the file
  minrnn::Conversion conversion = minrnn::Conversion::half;

  std::string name(std::string_view leaf) const {
    return path.empty() ? std::string(leaf) : path + "/" + std::string(leaf);
  }
  /// "w_z, b_z"
  std::string leaves() const;
};

/// The matrices of a product, and the numbers that a cell has behind them.
template <class S>
struct Product {
  minrnn::Matrix<S> w;  // (G rows, columns), one gate below the other; empty where there is none
  Index gates = 1;
  std::vector<S> numbers;

  minrnn::detail::WeightsSize matrix_size() const { return minrnn::detail::WeightsSize::matrix(w.rows(), w.cols()); }
  minrnn::detail::WeightsSize size() const { return matrix_size() + static_cast<Index>(numbers.size()); }
};

/// One cell with its weights, in the order in which its step reads them.
template <class S>
struct PackedCell {
  std::vector<Index> sizes;  // as the cell says them of itself
  Index inputs = 0, outputs = 0;
  std::vector<Product<S>> products;
};

/// A kind of cell that is not made of others.
struct CellKind {
  std::string name;                // "plain MinGru"
  std::string_view layout;         // of its weights
  std::string header, type, more;  // "min_gru_cell.hpp", "MinGruCell", ", minrnn::Candidate::plain"
  std::size_t sizes;  // how many at most: a dilation, which no weight shows, comes last, and is 1 where it is not said
  PackedCell<float> (*pack_floats)(const CellKind& kind, const LayerTensors& tensors);  // null: it has no weights
  PackedCell<double> (*pack_doubles)(const CellKind& kind, const LayerTensors& tensors);
};

/// Throws InputError where there is none of this name.
const CellKind& cell_kind(const std::string& name);

/// Throws InputError or std::runtime_error where the tensors are not those of such a layer.
template <class S>
PackedCell<S> pack(const CellKind& kind, const LayerTensors& tensors);
template <>
inline PackedCell<float> pack(const CellKind& kind, const LayerTensors& tensors) {
  return kind.pack_floats(kind, tensors);
}
template <>
inline PackedCell<double> pack(const CellKind& kind, const LayerTensors& tensors) {
  return kind.pack_doubles(kind, tensors);
}

}  // namespace convert
