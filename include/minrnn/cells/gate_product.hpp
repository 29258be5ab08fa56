// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product_kernel.hpp"

namespace minrnn::detail {

/// Products of one vector with the weights of some gates, all sizes known at compile time.
///
/// Equations   k = W x + b for each gate
/// Shapes      x (In); W (G Hidden, In), column after column, in each of them gate after gate; behind it b (G Hidden);
///             k (G, padded Hidden): in the result the rows of each gate fill whole registers
///
/// The weights lie as the product reads them on any target: there is no padding, so they depend on no register size.
/// Each sum is one chain over the inputs, as in the `step` of a layer, which gives the same bits.
template <class S, Index In, Index Hidden, Index gates>
struct GateProduct {
  static_assert(In >= 1 && Hidden >= 1, "a cell has at least one input and one output feature");
  static constexpr Index kWidth = Packet<S>::size;
  static constexpr int kTogether = Hidden > kWidth ? kInterleaved : 1;  // packets whose gates are computed side by side
  static constexpr Index kBlock = kTogether * kWidth;
  static constexpr Index kPadded = (Hidden + kBlock - 1) / kBlock * kBlock, kRows = gates * kPadded;
  static constexpr Index kBiasAt = gates * Hidden * In;
  static constexpr WeightsSize kWeights = WeightsSize::matrix(gates * Hidden, In) + gates * Hidden;

  /// Takes W and b of one gate from rows [first, first + Hidden) of matrices.
  template <class Weight, class Bias>
  static void pack(Index gate, const Weight& w, const Bias& b, Index first, S* weights) {
    for (Index r = 0; r < Hidden; ++r) {
      const Index row = gate * Hidden + r;
      for (Index c = 0; c < In; ++c) weights[c * gates * Hidden + row] = w(first + r, c);
      weights[kBiasAt + row] = b(first + r, 0);
    }
  }
  template <class Weight, class Bias, class T>
  static void pack(Index gate, const Weight& w, const Bias& b, Index first, NarrowPointer<S, T> weights) {
    weights.template pack<In, Hidden, gates>(gate, w, b, first);
  }

  /// k of all gates. What fills a gate up is of no meaning: the rows of the next one, or what lies behind the weights.
  MINRNN_INLINE static void run(const S* weights, const S* x, S* k) {
    for (Index i = 0; i < kRuns; ++i) {
      S* const k_i = k + i * kPadded;
      const S* init = weights + kBiasAt + i * Hidden;
      for (Index first = 0; first < In; first += kColumns) {
        const S* const columns = weights + first * gates * Hidden + i * Hidden;
        rows<0>(std::min<Index>(kColumns, In - first), columns, x + first, init, k_i);
        init = k_i;
      }
    }
  }
  template <class T>
  MINRNN_INLINE static void run(NarrowPointer<const S, T> weights, const S* x, S* k) {
    weights.template multiply<In, Hidden, gates, kPadded>(x, k);
  }

  /// Calls body(lanes) for the channels of a gate.
  template <class Body>
  MINRNN_INLINE static void for_channels(Body&& body) {
    constexpr Index whole = Hidden / kBlock * kBlock;
    for (Index i = 0; i < whole; i += kBlock) body(FullLanes<S, kTogether>{i});
    if constexpr (whole < Hidden) body(PartialLanes<S, kTogether>{whole, Hidden - whole});
  }
  /// k of some channels, of each gate.
  template <class Lanes>
  MINRNN_INLINE static auto of_gates(Lanes lanes, const S* k) {
    using P = typename Lanes::P;
    Array<P, gates> k_gates;
    unroll<int{gates}>([&](auto gate)
                           MINRNN_INLINE_LAMBDA { k_gates[gate] = P::load(k + gate * kPadded + lanes.offset); });
    return k_gates;
  }

 private:
  // Where gates fill whole registers their rows are one run, else each gate has its own.
  static constexpr Index kRuns = kPadded == Hidden ? 1 : gates, kRunRows = kRows / kRuns;
  // Panels of rows, whose sums stay in registers together.
  static constexpr Index kMost = kManyRegisters ? 24 : 8, kPackets = kRunRows / kWidth;
  static constexpr Index kPanels = (kPackets + kMost - 1) / kMost;
  static constexpr Index kPanel = (kPackets + kPanels - 1) / kPanels * kWidth;
  // Columns that all panels walk before the next ones. Weights that L1 does not hold come 1.4 times as fast from L2
  // where they are read nearly as they lie; 4 and 16 columns are slower.
  static constexpr bool kBeyondL1 = In * gates * Hidden * Index{sizeof(S)} > 65536;
  static constexpr Index kColumns = kBeyondL1 && kPanels > 1 ? 8 : In;

  /// k from row `first` of a run on, a panel after the other.
  template <Index first>
  MINRNN_INLINE static void rows(Index depth, const S* weights, const S* x, const S* init, S* k) {
    constexpr Index count = std::min<Index>(kPanel, kRunRows - first);
    if constexpr (count > 0) {
      ProductKernel<S>::template run<int{count / kWidth}, 1>(depth, weights + first, gates * Hidden, x, 1, 0,
                                                             init + first, 0, k + first, 0);
      rows<first + count>(depth, weights, x, init, k);
    }
  }
};

}  // namespace minrnn::detail
