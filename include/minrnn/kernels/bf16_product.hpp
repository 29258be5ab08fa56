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

  /// y (rows) = init + W x for whole panels and one of the rows that remain, whose pairs of columns stand right behind
  /// each other. What is in memory behind the rows of the last pair does not matter, but is read.
  template <Index rows, Index depth, Index together = kTogether, class T>
  MINRNN_INLINE static void panels(const T* w, const S* x, const S* init, S* y) {
    constexpr Index distance = kPanel * ((depth + 1) / 2 * 2), whole = together * kPanel;
    if constexpr (rows >= whole) {
      run<int{together}, 1>(w, distance, kPanel, {x, depth, 1}, init, y, 0);
      panels<rows - whole, depth, together>(w + together * distance, x, init + whole, y + whole);
    } else if constexpr (together > 1) {
      panels<rows, depth, together / 2>(w, x, init, y);
    } else if constexpr (rows > 0) {
      constexpr int packets = int{(rows + P::size - 1) / P::size};
      S block[std::size_t{packets * P::size}] = {};
      std::copy_n(init, rows, block);
      run<1, 1, packets>(w, 0, rows, {x, depth, 1}, block, block, 0);
      std::copy_n(block, rows, y);
    }
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
    run<1, count>(w.panel(panel), 0, kPanel, x, init, block, kPanel);
    for (Index j = 0; j < count; ++j) std::copy_n(block + j * kPanel, rest, y[j].data + first);
  }

  /// From a panel on as many as there are whole ones, `together` at a time, and half as many where fewer are left.
  template <int together, int count>
  static void whole_panels(const StoredMatrix<Bf16>& w, Index& panel, const Columns<const S>& x, Row<const S> bias,
                           const Columns<S>& y) {
    for (; (panel + together) * kPanel <= w.rows(); panel += together)
      run<together, count>(w.panel(panel), w.panel_size(), kPanel, x, bias.data ? bias.data + panel * kPanel : nullptr,
                           y.data + panel * kPanel, y.stride);
    if constexpr (together > 1) whole_panels<together / 2, count>(w, panel, x, bias, y);
  }

  /// Of `together` panels, `distance` elements apart, of each the first `packets` registers, and `count` columns. In a
  /// panel the pairs of a column are those of `rows` rows. init: a column, or null for zero.
  template <int together, int count, int packets = kPackets, class T>
  MINRNN_INLINE static void run(const T* w, Index distance, Index rows, const Columns<const S>& x, const S* init, S* y,
                                Index y_stride) {
    constexpr int kOfColumn = together * packets;
    const T* from[std::size_t{together}];
    unroll<together>([&](auto p) MINRNN_INLINE_LAMBDA { from[p] = w + p * distance; });
    Array<P, kOfColumn * count> sums;
    unroll<kOfColumn * count>(
        [&](auto i) MINRNN_INLINE_LAMBDA { sums[i] = init ? P::load(init + i % kOfColumn * P::size) : P(S(0)); });
    const auto add = [&]<bool second>(std::bool_constant<second>, Index k) MINRNN_INLINE_LAMBDA {
      unroll<kOfColumn>([&](auto i) MINRNN_INLINE_LAMBDA {
        const P w_k = of_pairs<second>(from[i / packets] + i % packets * 2 * P::size);
        unroll<count>([&](auto j) MINRNN_INLINE_LAMBDA {
          sums[j * kOfColumn + i] = fma(w_k, P(x.data[j * x.stride + k]), sums[j * kOfColumn + i]);
        });
      });
    };
    Index k = 0;
    for (; k + 2 <= x.rows; k += 2) {
      add(std::false_type{}, k);
      add(std::true_type{}, k + 1);
      unroll<together>([&](auto p) MINRNN_INLINE_LAMBDA { from[p] += 2 * rows; });
    }
    if (k < x.rows) add(std::false_type{}, k);
    unroll<kOfColumn * count>(
        [&](auto i) MINRNN_INLINE_LAMBDA { sums[i].store(y + i / kOfColumn * y_stride + i % kOfColumn * P::size); });
  }

  /// The first or the second number of each of P::size pairs.
  template <bool second, class T>
  MINRNN_INLINE static P of_pairs(const T* pairs) {
    if constexpr (kHasBits<S> && std::endian::native == std::endian::little) {
      const P bits = P::load_bits(pairs);
      return second ? upper_halves(bits) : lower_halves(bits);
    } else {
      S numbers[std::size_t{P::size}];
      for (Index i = 0; i < P::size; ++i) numbers[i] = static_cast<S>(widened(Bf16{pairs[2 * i + (second ? 1 : 0)]}));
      return P::load(numbers);
    }
  }
};

}  // namespace minrnn::detail
