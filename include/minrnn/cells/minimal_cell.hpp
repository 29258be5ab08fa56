// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product_kernel.hpp"

namespace minrnn::detail {

/// Whether a cell of these gates computes what the layer does. Weights in an object of the user's are for the cell that
/// takes them; a layer, which has a Cache, says by Layer::Gates what it is.
template <class Gates, class Layer>
constexpr bool computes_the_same() {
  if constexpr (requires { typename Layer::Gates; })
    return std::same_as<typename Gates::Linear, typename Layer::Gates::Linear>;
  else
    return !requires { typename Layer::Cache; };
}

/// One step of a minimal network with sizes known at compile time: no heap, no loop of unknown length.
///
/// Equations   k = W x + b for each gate;  h = decay h + input, both from k by Gates
/// Shapes      x (In), h (Hidden); W (G Hidden, In)
///
/// The rows of each gate are filled up to whole packets, so that the product runs without a rest. Each sum is one chain
/// over the inputs, as in `step` of the layer, which gives the same bits.
template <class S, Index In, Index Hidden, ScanGates Gates>
class MinimalCell {
  static_assert(In >= 1 && Hidden >= 1, "a cell has at least one input and one hidden feature");
  static constexpr Index kWidth = Packet<S>::size, kGates = Gates::kCount;
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

  /// From a trained layer of the same kind and sizes, or from any object with weight(gate) (Hidden, In) and bias(gate)
  /// (Hidden). Throws std::invalid_argument where sizes differ.
  template <class Layer>
  explicit MinimalCell(const Layer& layer) {
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
  }

  /// h becomes the state after x. Never allocates, locks or throws.
  void step(const Input& x, Output& h) const noexcept {
    alignas(64) Array<S, kRows> k;
    product<0>(x.data(), k.data());
    const auto advance = [&](auto lanes) MINRNN_INLINE_LAMBDA {
      using P = typename decltype(lanes)::P;
      Array<P, kGates> k_gates;
      unroll<Gates::kCount>([&](auto gate) { k_gates[gate] = P::load(k.data() + gate * kPadded + lanes.offset); });
      const auto step = Gates::forward(k_gates);
      lanes.store(h.data(), fma(step.decay, lanes.load(h.data()), step.input));
    };
    constexpr Index whole = Hidden / kBlock * kBlock;
    for (Index i = 0; i < whole; i += kBlock) advance(FullLanes<S, kTogether>{i});
    if constexpr (whole < Hidden) advance(PartialLanes<S, kTogether>{whole, Hidden - whole});
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
};

}  // namespace minrnn::detail
