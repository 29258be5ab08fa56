// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/packet_bits.hpp"

namespace minrnn::detail {

/// Products with a weight of bf16, which becomes float, and then S, in registers. Nothing is rounded there, and a sum
/// is one chain over the depth as that of `ProductKernel`: the bits are those of the same weights stored as S.
template <class S>
struct Bf16Product {
  using P = Packet<S>;
  static constexpr Index kPanel = StoredMatrix<Bf16>::kPanel;
  static constexpr int kPackets = int{kPanel / P::size};  // of a panel
  /// A chain of multiply-adds waits for itself, so eight registers of sums stand side by side: those of some panels for
  /// one column, or those of fewer panels for some columns, for which a weight is then read once.
  static constexpr int kTogether = kPackets >= 8 ? 1 : 8 / kPackets;
  static constexpr int kColumns = 4;
  static constexpr int kTogetherOfColumns = kTogether >= kColumns ? kTogether / kColumns : 1;

  /// Y (rows, n) = bias + W X. Without a bias: an empty row.
  static void multiply(const StoredMatrix<Bf16>& w, const Columns<const S>& x, Row<const S> bias, const Columns<S>& y) {
    Index j = 0;
    for (; j + kColumns <= x.count; j += kColumns)
      columns<kTogetherOfColumns, kColumns>(w, x.block(j, kColumns), bias, y.block(j, kColumns));
    for (; j < x.count; ++j) columns<kTogether, 1>(w, x.block(j, 1), bias, y.block(j, 1));
  }

 private:
  template <int together, int count>
  static void columns(const StoredMatrix<Bf16>& w, const Columns<const S>& x, Row<const S> bias, const Columns<S>& y) {
    Index panel = 0;
    whole_panels<together, count>(w, panel, x, bias, y);
    const Index first = panel * kPanel, rest = w.rows() - first;
    if (rest == 0) return;
    S init[std::size_t{kPanel}] = {}, block[std::size_t{kPanel * count}];
    if (bias.data) std::copy_n(bias.data + first, rest, init);
    run<1, count>(w, panel, x, init, block, kPanel);
    for (Index j = 0; j < count; ++j) std::copy_n(block + j * kPanel, rest, y[j].data + first);
  }

  /// From a panel on as many as there are whole ones, `together` at a time, and half as many where fewer are left.
  template <int together, int count>
  static void whole_panels(const StoredMatrix<Bf16>& w, Index& panel, const Columns<const S>& x, Row<const S> bias,
                           const Columns<S>& y) {
    for (; (panel + together) * kPanel <= w.rows(); panel += together)
      run<together, count>(w, panel, x, bias.data ? bias.data + panel * kPanel : nullptr, y.data + panel * kPanel,
                           y.stride);
    if constexpr (together > 1) whole_panels<together / 2, count>(w, panel, x, bias, y);
  }

  /// Of `together` whole panels and `count` columns. init: a column, or null for zero.
  template <int together, int count>
  static void run(const StoredMatrix<Bf16>& w, Index panel, const Columns<const S>& x, const S* init, S* y,
                  Index y_stride) {
    constexpr int kOfColumn = together * kPackets;
    const Bf16* from[std::size_t{together}];
    unroll<together>([&](auto p) MINRNN_INLINE_LAMBDA { from[p] = w.panel(panel + p); });
    Array<P, kOfColumn * count> sums;
    unroll<kOfColumn * count>(
        [&](auto i) MINRNN_INLINE_LAMBDA { sums[i] = init ? P::load(init + i % kOfColumn * P::size) : P(S(0)); });
    const auto add = [&]<bool second>(std::bool_constant<second>, Index k) MINRNN_INLINE_LAMBDA {
      unroll<kOfColumn>([&](auto i) MINRNN_INLINE_LAMBDA {
        const P w_k = of_pairs<second>(from[i / kPackets] + i % kPackets * 2 * P::size);
        unroll<count>([&](auto j) MINRNN_INLINE_LAMBDA {
          sums[j * kOfColumn + i] = fma(w_k, P(x.data[j * x.stride + k]), sums[j * kOfColumn + i]);
        });
      });
    };
    Index k = 0;
    for (; k + 2 <= w.cols(); k += 2) {
      add(std::false_type{}, k);
      add(std::true_type{}, k + 1);
      unroll<together>([&](auto p) MINRNN_INLINE_LAMBDA { from[p] += 2 * kPanel; });
    }
    if (k < w.cols()) add(std::false_type{}, k);
    unroll<kOfColumn * count>(
        [&](auto i) MINRNN_INLINE_LAMBDA { sums[i].store(y + i / kOfColumn * y_stride + i % kOfColumn * P::size); });
  }

  /// The first or the second number of each of P::size pairs.
  template <bool second>
  MINRNN_INLINE static P of_pairs(const Bf16* pairs) {
    if constexpr (kHasBits<S> && std::endian::native == std::endian::little) {
      const P bits = P::load_bits(pairs);
      return second ? upper_halves(bits) : lower_halves(bits);
    } else {
      S numbers[std::size_t{P::size}];
      for (Index i = 0; i < P::size; ++i) numbers[i] = static_cast<S>(widened(pairs[2 * i + (second ? 1 : 0)]));
      return P::load(numbers);
    }
  }
};

}  // namespace minrnn::detail
