// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "minrnn/cells/gate_product.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// Gates in linear arithmetic, in which a cell computes: itself where there is no other.
template <class Gates>
struct InLinearArithmetic {
  using type = Gates;
};
template <class Gates>
requires requires { typename Gates::Linear; }
struct InLinearArithmetic<Gates> {
  using type = typename Gates::Linear;
};

/// Whether a cell of these gates computes what the layer does. Weights in an object of the user's are for the cell that
/// takes them; a layer, which has a Cache, says by Layer::Gates what it is.
template <class Gates, class Layer>
constexpr bool computes_the_same() {
  if constexpr (requires { typename Layer::Gates; })
    return std::same_as<typename InLinearArithmetic<Gates>::type,
                        typename InLinearArithmetic<typename Layer::Gates>::type>;
  else
    return !requires { typename Layer::Cache; };
}

/// Kind and sizes of a cell of gates.
template <class Gates, class Text>
constexpr void describe_gates(Text& text, Index inputs, Index features) {
  if constexpr (requires { Gates::kVariant; })
    for (const auto& word : Gates::kVariant.values) text.add(word);
  text.add_call(Gates::kName, inputs, features);
}

/// Gates of the input alone, for a cell.
///
/// Equations   k = W x + b for each gate
/// Shapes      x (In); W (G Hidden, In); diagonal weights (Hidden)
/// Weights     W, b as `GateProduct` has them, then the diagonal weights
template <class S, Index In, Index Hidden, class Gates>
struct GatedForm {
  using Scalar = S;
  using Product = GateProduct<S, In, Hidden, Gates::kCount>;
  static constexpr Index kInputs = In, kOutputs = Hidden, kDiagonals = Gates::kDiagonals;
  static constexpr WeightsSize kGatedWeights = Product::kWeights + kDiagonals * Hidden;

  /// From a layer, or from any object with weight(gate) (Hidden, In), bias(gate) (Hidden) and, where the gates have
  /// diagonal weights, diagonal(i) (Hidden).
  template <class Layer>
  static void pack(const Layer& layer, auto weights) {
    static_assert(computes_the_same<Gates, Layer>(),
                  "the layer computes something else than this cell: make a cell of its "
                  "kind, with its candidate and its scaling of gates");
    for (int gate = 0; gate < Gates::kCount; ++gate) {
      const auto& w = layer.weight(gate);
      const auto& b = layer.bias(gate);
      check_matrix(Gates::kName, "weight of the layer", w, Hidden, In);
      check_matrix(Gates::kName, "bias of the layer", b, Hidden, 1);
      Product::pack(gate, w, b, 0, weights);
    }
    if constexpr (kDiagonals > 0)
      for (Index i = 0; i < kDiagonals; ++i) {
        const auto& diagonal = layer.diagonal(i);
        check_matrix(Gates::kName, "diagonal of the layer", diagonal, Hidden, 1);
        for (Index r = 0; r < Hidden; ++r) (weights + Product::kWeights + i * Hidden)[r] = diagonal(r, 0);
      }
  }

  template <class Text>
  static constexpr void describe(Text& text) {
    describe_gates<Gates>(text, In, Hidden);
  }

 protected:
  /// Calls body(lanes, k, diagonal) for the channels with their k and their diagonal weights.
  template <class Body>
  MINRNN_INLINE static void for_gates(auto weights, const S* x, Body&& body) {
    alignas(64) Array<S, Product::kRows> k;
    Product::run(weights, x, k.data());
    Product::for_channels([&](auto lanes) MINRNN_INLINE_LAMBDA {
      using P = typename decltype(lanes)::P;
      Array<P, kDiagonals> diagonal;
      unroll<int{kDiagonals}>([&](auto i) MINRNN_INLINE_LAMBDA {
        diagonal[i] = P::load(weights + Product::kWeights + i * Hidden + lanes.offset);
      });
      body(lanes, Product::of_gates(lanes, k.data()), diagonal);
    });
  }
};

}  // namespace minrnn::detail
