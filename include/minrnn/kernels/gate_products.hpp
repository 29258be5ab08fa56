// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/product_kernel.hpp"

/// Products of the weights of several gates with the same x.
namespace minrnn::detail {

/// The weights and biases of G gates. What follows the product, gates and recurrence, runs on a few steps of a panel
/// before the next ones are computed:
///
///                   x: steps in L1 or L2
///                +------+------+------+----        for each panel of rows, for 48 steps after the other:
///     panel p    | k k' | k k' | ...                 k, k' of the panel by the kernel, into a block in L1,
///     of gates   +------+------+------+----          h_t = a(k, k') h_{t-1} + b(k, k') from there, the rows of h
///                                                    in registers
template <class S, int G>
class PackedGates {
  using Kernel = ProductKernel<S>;
  static constexpr Index kPanel = Kernel::kPanel, kBlock = 48;

 public:
  /// w: (H, F) and b: (H) of each gate.
  void pack(const Array<Parameter<S>, G>& w, const Array<Parameter<S>, G>& b) {
    for (int gate = 0; gate < G; ++gate) {
      weights_[gate].resize(w[gate].value.rows(), w[gate].value.cols());
      weights_[gate].set_rows(0, w[gate].value);
      biases_[gate].resize(b[gate].value.rows(), 1);
      biases_[gate].set_rows(0, b[gate].value);
    }
  }

  /// Scalars of scratch that `for_columns` needs.
  static constexpr Index kScratch = kBlock * G * kPanel;

  /// Calls body(j, k) for the columns j of X (F, n) in order, k[g] = W_g x_j + b_g for the rows of `lanes`, which lie
  /// within a panel, or fill some. Where k of all gates is there already, `ready` (G H, n), it is taken from there.
  template <class Lanes, class Body>
  MINRNN_INLINE void for_columns(Lanes lanes, Columns<const S> x, S* block, Body&& body,
                                 Columns<const S> ready = {}) const {
    using P = typename Lanes::P;
    constexpr Index panels = (P::size + kPanel - 1) / kPanel, rows = panels * kPanel;
    const Index depth = weights_[0].depth(), panel = lanes.offset / kPanel;
    for (Index first = 0; first < x.count; first += kBlock / panels) {
      const Index columns = std::min<Index>(kBlock / panels, x.count - first);
      for (int gate = 0; gate < G; ++gate)
        for (Index p = 0; p < panels; ++p) {
          S* const to = block + gate * rows + p * kPanel;
          if (ready.data != nullptr) [[unlikely]]
            copy_panel(ready.block(first, columns), gate, panel + p, to, G * rows);
          else
            Kernel::panel(depth, columns, weights_[gate].panel(panel + p), kPanel, x[first].data, 1, x.stride,
                          biases_[gate].panel(panel + p), 0, to, G * rows);
        }
      for (Index j = 0; j < columns; ++j) {
        Array<P, G> k;
        unroll<G>([&](auto gate) { k[gate] = P::load(block + (j * G + gate) * rows + lanes.offset % rows); });
        body(first + j, k);
      }
    }
  }

 private:
  /// The rows of a panel of a gate; those beyond H are zero.
  MINRNN_NOINLINE static void copy_panel(const Columns<const S>& k, Index gate, Index panel, S* to, Index stride) {
    const Index features = k.rows / G, first = panel * kPanel, count = std::clamp<Index>(features - first, 0, kPanel);
    for (Index j = 0; j < k.count; ++j) {
      S* const end = std::copy_n(k[j].data + gate * features + first, count, to + j * stride);
      std::fill_n(end, kPanel - count, S(0));
    }
  }

  Array<PackedWeight<S>, G> weights_, biases_;  // (H, F) and (H, 1)
};

/// k (G M) = b_g + W_g x for each gate g, straight from the weights: for one column, with the sums of all gates side by
/// side, as each is one long chain. The same bits as `multiply_unpacked`.
template <class S, Index G>
void multiply_gates(const Array<Parameter<S>, G>& w, const Array<Parameter<S>, G>& b, const S* x, S* k) {
  constexpr Index kWidth = Packet<S>::size;
  constexpr int kMost = kManyRegisters ? (G > 3 ? 4 : 8) : (G > 2 ? 2 : 4);
  const Index rows = w[0].value.rows(), depth = w[0].value.cols();
  const auto block = [&]<int packets>(std::integral_constant<int, packets>, Index row) {
    Array<const S*, G> from;
    Array<Packet<S>, G * packets> sums;
    unroll<G>([&](auto g) {
      from[g] = w[g].value.data() + row;
      unroll<packets>([&](auto p) { sums[g * packets + p] = Packet<S>::load(b[g].value.data() + row + p * kWidth); });
    });
    for (Index j = 0; j < depth; ++j) {
      const Packet<S> x_j(x[j]);
      unroll<G>([&](auto g) {
        unroll<packets>([&](auto p) {
          sums[g * packets + p] = fma(Packet<S>::load(from[g] + p * kWidth), x_j, sums[g * packets + p]);
        });
        from[g] += rows;
      });
    }
    unroll<G * packets>([&](auto i) { sums[i].store(k + i / packets * rows + row + i % packets * kWidth); });
  };
  const auto multiply_each = [&] {
    for (int g = 0; g < G; ++g) multiply_unpacked(w[g].value, {x, depth, 1}, b[g].value, {k + g * rows, rows, 1});
  };
  // A weight comes faster in longer pieces of its columns: gate after gate, where 8 packets of all are too many sums.
  if (kMost < 8 && rows >= 8 * kWidth) return multiply_each();
  Index row = 0;
  const auto blocks = [&]<int packets>(auto&& rest, std::integral_constant<int, packets> size) -> void {
    for (; row + packets * kWidth <= rows; row += packets * kWidth) block(size, row);
    if constexpr (packets > 1) rest(rest, std::integral_constant<int, packets / 2>{});
  };
  blocks(blocks, std::integral_constant<int, kMost>{});
  if (row == rows) return;
  if (rows >= kWidth) return block(std::integral_constant<int, 1>{}, rows - kWidth);  // some rows once more
  multiply_each();
}

}  // namespace minrnn::detail
