// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product_kernel.hpp"

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

/// Gates of one step with sizes known at compile time: no heap, no loop of unknown length.
///
/// Equations   k = W x + b for each gate
/// Shapes      x (In); W (G Hidden, In); diagonal weights (Hidden)
///
/// The rows of each gate are filled up to whole packets, so that the product runs without a rest. Each sum is one chain
/// over the inputs, as in `step` of the layer, which gives the same bits.
template <class S, Index In, Index Hidden, class Gates>
class GatedCell {
  static_assert(In >= 1 && Hidden >= 1, "a cell has at least one input and one hidden feature");
  static constexpr Index kWidth = Packet<S>::size, kGates = Gates::kCount, kDiagonals = Gates::kDiagonals;
  static constexpr int kTogether = Hidden > kWidth ? kInterleaved : 1;  // packets whose gates are computed side by side
  static constexpr Index kBlock = kTogether * kWidth;
  static constexpr Index kPadded = (Hidden + kBlock - 1) / kBlock * kBlock, kRows = kGates * kPadded;
  static constexpr Index kPanel = 8 * kWidth;  // rows whose sums stay in registers together

 public:
  using Scalar = S;
  using Input = Eigen::Matrix<S, In, 1>;
  using Output = Eigen::Matrix<S, Hidden, 1>;

  static constexpr Index input_size() { return In; }
  static constexpr Index output_size() { return Hidden; }

  /// From a trained layer of the same kind and sizes, or from any object with weight(gate) (Hidden, In), bias(gate)
  /// (Hidden) and, where the gates have diagonal weights, diagonal(i) (Hidden). Throws std::invalid_argument where
  /// sizes differ.
  template <class Layer>
  explicit GatedCell(const Layer& layer) {
    static_assert(computes_the_same<Gates, Layer>(),
                  "the layer computes something else than this cell: make a cell of its "
                  "kind, with its candidate and its scaling of gates");
    for (int gate = 0; gate < Gates::kCount; ++gate) {
      const auto& w = layer.weight(gate);
      const auto& b = layer.bias(gate);
      check_matrix(Gates::kName, "weight of the layer", w, Hidden, In);
      for (Index r = 0; r < Hidden; ++r) {
        b_[gate * kPadded + r] = b(r, 0);
        const Index row = gate * kPadded + r, panel = row / kPanel,
                    rows = std::min<Index>(kPanel, kRows - panel * kPanel);
        for (Index c = 0; c < In; ++c) w_[panel * kPanel * In + c * rows + row % kPanel] = w(r, c);
      }
    }
    if constexpr (kDiagonals > 0)
      for (Index i = 0; i < kDiagonals; ++i)
        for (Index r = 0; r < Hidden; ++r) diagonal_[i * kPadded + r] = layer.diagonal(i)(r, 0);
  }

 protected:
  /// Calls body(lanes, k, diagonal) for each packet of channels with their k and their diagonal weights.
  template <class Body>
  MINRNN_INLINE void for_gates(const Input& x, Body&& body) const noexcept {
    alignas(64) Array<S, kRows> k;
    product<0>(x.data(), k.data());
    const auto of_lanes = [&](auto lanes) MINRNN_INLINE_LAMBDA {
      using P = typename decltype(lanes)::P;
      Array<P, kGates> k_gates;
      unroll<Gates::kCount>([&](auto gate) { k_gates[gate] = P::load(k.data() + gate * kPadded + lanes.offset); });
      Array<P, kDiagonals> diagonal;
      unroll<int{kDiagonals}>([&](auto i) { diagonal[i] = P::load(&diagonal_[i * kPadded + lanes.offset]); });
      body(lanes, k_gates, diagonal);
    };
    constexpr Index whole = Hidden / kBlock * kBlock;
    for (Index i = 0; i < whole; i += kBlock) of_lanes(FullLanes<S, kTogether>{i});
    if constexpr (whole < Hidden) of_lanes(PartialLanes<S, kTogether>{whole, Hidden - whole});
  }

 private:
  /// k from row `first` on, a panel after the other.
  template <Index first>
  MINRNN_INLINE void product(const S* x, S* k) const {
    constexpr Index rows = std::min<Index>(kPanel, kRows - first);
    if constexpr (rows > 0) {
      ProductKernel<S>::template run<int{rows / kWidth}, 1>(In, w_.data() + first * In, rows, x, 1, 0,
                                                            b_.data() + first, 0, k + first, 0);
      product<first + rows>(x, k);
    }
  }

  alignas(64) Array<S, kRows * In> w_{};  // panels of (kPanel, In), column after column
  alignas(64) Array<S, kRows> b_{};
  [[no_unique_address]] Array<S, kDiagonals * kPadded> diagonal_{};
};

}  // namespace minrnn::detail
