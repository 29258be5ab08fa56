// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "minrnn/core/packet.hpp"
#include "minrnn/core/product.hpp"
#include "minrnn/math/gates.hpp"

namespace minrnn::detail {

/// One step of a minimal network with sizes known at compile time: no heap, no loop of unknown length.
///
/// Equations   k = W x + b for each gate;  h = decay h + input, both from k by Gates
/// Shapes      x (In), h (Hidden); W (G Hidden, In)
///
/// The rows of each gate are filled up to whole packets, so that the product runs without a rest.
template <class S, Index In, Index Hidden, class Gates>
class MinimalCell {
  static_assert(In >= 1 && Hidden >= 1, "a cell has at least one input and one hidden feature");
  static constexpr Index kWidth = Packet<S>::size, kGates = Gates::kCount;
  static constexpr Index kPadded = (Hidden + kWidth - 1) / kWidth * kWidth, kRows = kGates * kPadded;

 public:
  using Scalar = S;
  using Input = Eigen::Matrix<S, In, 1>;
  using Output = Eigen::Matrix<S, Hidden, 1>;

  static constexpr Index input_size() { return In; }
  static constexpr Index output_size() { return Hidden; }

  /// From a trained layer of the same kind and sizes. Throws std::invalid_argument where its sizes differ.
  template <class Layer>
  explicit MinimalCell(const Layer& layer) {
    for (Index gate = 0; gate < kGates; ++gate) {
      const auto& w = layer.weight(static_cast<int>(gate));
      const auto& b = layer.bias(static_cast<int>(gate));
      check_matrix(Gates::kName, "weight of the layer", w, Hidden, In);
      for (Index r = 0; r < Hidden; ++r) {
        b_[gate * kPadded + r] = b(r, 0);
        for (Index c = 0; c < In; ++c) w_[c * kRows + gate * kPadded + r] = w(r, c);
      }
    }
  }

  /// h becomes the state after x. Never allocates, locks or throws.
  void step(const Input& x, Output& h) const noexcept {
    alignas(64) S k[kRows];
    product<0>(x.data(), k);
    const auto advance = [&](auto lanes) MINRNN_INLINE_LAMBDA {
      typename Gates::template Values<Packet<S>> pre;
      unroll<Gates::kCount>([&](auto gate) { pre[gate] = Packet<S>::load(k + gate * kPadded + lanes.offset); });
      const auto [decay, input] = Gates::forward(pre);
      lanes.store(h.data(), fma(decay, lanes.load(h.data()), input));
    };
    constexpr Index whole = Hidden / kWidth * kWidth;
    for (Index i = 0; i < whole; i += kWidth) advance(FullLanes<S>{i});
    if constexpr (whole < Hidden) advance(PartialLanes<S>{whole, Hidden - whole});
  }

 private:
  /// k from row `first` on, at most eight packets at a time: that many sums stay in registers.
  template <Index first>
  MINRNN_INLINE void product(const S* x, S* k) const {
    constexpr int packets = static_cast<int>(std::min<Index>(8, (kRows - first) / kWidth));
    if constexpr (packets > 0) {
      ProductKernel<S>::template run<packets, 1>(In, w_.data() + first, kRows, x, 1, 0, b_.data() + first, 0, k + first,
                                                 0);
      product<first + packets * kWidth>(x, k);
    }
  }

  alignas(64) std::array<S, kRows * In> w_{};  // (G padded rows, In), column after column
  alignas(64) std::array<S, kRows> b_{};
};

}  // namespace minrnn::detail
