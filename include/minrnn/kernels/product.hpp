// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/product_kernel.hpp"

/// Products of a weight with a stretch of a sequence, on one thread, without an allocation.
///
/// All of them run one kernel, `ProductKernel`, that keeps a block of C in registers and walks the depth.
/// While it computes, memory is idle: a `Prefetcher` given to a product uses that for what will be read next.
///
/// Every element of C is one chain of multiply-adds over k in order, whatever the block it falls in. So forward, infer,
/// step and any split into chunks give the same bits, and so does any division among threads.
namespace minrnn::detail {

/// A weight (rows, depth) stored as the kernel reads it: panels of kPanel rows, each contiguous over the depth, the
/// last filled up with zeros. Packed once and used for every time step.
template <class S>
class PackedWeight {
  using Kernel = ProductKernel<S>;
  static constexpr Index kPanel = Kernel::kPanel;

 public:
  void resize(Index rows, Index depth) {
    rows_ = rows;
    depth_ = depth;
    const Index panels = (rows + kPanel - 1) / kPanel;
    data_.resize(kPanel, depth, panels);
    if (rows % kPanel != 0) std::fill_n(data_.data() + (panels - 1) * kPanel * depth, kPanel * depth, S(0));
  }
  Index rows() const { return rows_; }
  Index depth() const { return depth_; }
  /// Rows [i kPanel, (i + 1) kPanel), contiguous over the depth.
  const S* panel(Index i) const { return data_.data() + i * kPanel * depth_; }

  /// Rows [first, first + w.rows()) become those of w.
  void set_rows(Index first, const Matrix<S>& w) {
    for (Index r = 0, count; r < w.rows(); r += count) {
      count = std::min<Index>(kPanel - (first + r) % kPanel, w.rows() - r);
      for (Index k = 0; k < depth_; ++k) std::copy_n(w.col(k).data() + r, count, &at(first + r, k));
    }
  }
  /// Columns [first, first + w.rows()) become the rows of w: the transposed weight.
  void set_transposed(Index first, const Matrix<S>& w) {
    for (Index r = 0; r < rows_; ++r)
      for (Index k = 0; k < w.rows(); ++k) at(r, first + k) = w(k, r);
  }

  /// Y (rows, n) = bias + W X for columns of X x_stride and of Y y_stride apart. bias: (rows) or null.
  void multiply(const S* x, Index x_stride, Index n, const S* bias, S* y, Index y_stride,
                Prefetcher<S>* ahead = nullptr) const {
    Index row = 0;
    for (; row + kPanel <= rows_; row += kPanel)
      Kernel::panel(depth_, n, panel(row / kPanel), kPanel, x, 1, x_stride, bias ? bias + row : bias, 0, y + row,
                    y_stride, ahead);
    if (row == rows_) return;
    S init[std::size_t{kPanel}] = {}, block[std::size_t{kPanel * Kernel::kColumns}];
    if (bias) std::copy_n(bias + row, rows_ - row, init);
    for (Index j = 0; j < n; j += Kernel::kColumns) {
      const Index columns = std::min<Index>(Kernel::kColumns, n - j);
      Kernel::panel(depth_, columns, panel(row / kPanel), kPanel, x + j * x_stride, 1, x_stride, init, 0, block,
                    kPanel);
      for (Index c = 0; c < columns; ++c) std::copy_n(block + c * kPanel, rows_ - row, y + (j + c) * y_stride + row);
    }
  }

 private:
  S& at(Index r, Index k) { return data_.data()[(r / kPanel * depth_ + k) * kPanel + r % kPanel]; }
  Index rows_ = 0, depth_ = 0;
  Sequence<S> data_;
};

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
  /// within a panel.
  template <class Lanes, class Body>
  MINRNN_INLINE void for_columns(Lanes lanes, const S* x, Index n, S* block, Body&& body) const {
    using P = typename Lanes::P;
    static_assert(P::size <= kPanel);
    const Index depth = weights_[0].depth(), panel = lanes.offset / kPanel;
    for (Index first = 0; first < n; first += kBlock) {
      const Index columns = std::min<Index>(kBlock, n - first);
      for (int gate = 0; gate < G; ++gate)
        Kernel::panel(depth, columns, weights_[gate].panel(panel), kPanel, x + first * depth, 1, depth,
                      biases_[gate].panel(panel), 0, block + gate * kPanel, G * kPanel);
      for (Index j = 0; j < columns; ++j) {
        Array<P, G> k;
        unroll<G>([&](auto gate) { k[gate] = P::load(block + (j * G + gate) * kPanel + lanes.offset % kPanel); });
        body(first + j, k);
      }
    }
  }

 private:
  Array<PackedWeight<S>, G> weights_, biases_;  // (H, F) and (H, 1)
};

/// Scalars of scratch that `add_outer_product` needs: a panel of A. Not on the stack, which may be small.
template <class S>
inline constexpr Index kOuterScratch = 256 * ProductKernel<S>::kPanel;

/// C (M, K) += A (M, n) B (K, n)^T: the gradient of a weight. Columns of A a_stride and of B b_stride apart; C
/// contiguous.
template <class S>
void add_outer_product(const S* a, Index a_stride, const S* b, Index b_stride, Index n, S* c, Index c_rows,
                       Index c_columns, S* packed, Prefetcher<S>* ahead = nullptr) {
  using Kernel = ProductKernel<S>;
  constexpr Index kPanel = Kernel::kPanel, kDepth = kOuterScratch<S> / kPanel;
  for (Index first = 0; first < n; first += kDepth) {
    const Index depth = std::min<Index>(kDepth, n - first);
    for (Index row = 0; row < c_rows; row += kPanel) {
      const Index rows = std::min<Index>(kPanel, c_rows - row);
      const S* column = a + first * a_stride + row;
      if (rows == kPanel) {
        for (Index k = 0; k < depth; ++k, column += a_stride)
          unroll<Kernel::kRows>([&](auto r) {
            constexpr Index offset = r * Packet<S>::size;
            Packet<S>::load(column + offset).store(packed + k * kPanel + offset);
          });
        Kernel::panel(depth, c_columns, packed, kPanel, b + first * b_stride, b_stride, 1, c + row, c_rows, c + row,
                      c_rows, ahead);
        continue;
      }
      std::fill_n(packed, kPanel * depth, S(0));
      for (Index k = 0; k < depth; ++k, column += a_stride) std::copy_n(column, rows, packed + k * kPanel);
      S block[kPanel * Kernel::kColumns] = {};
      for (Index j = 0; j < c_columns; j += Kernel::kColumns) {
        const Index columns = std::min<Index>(Kernel::kColumns, c_columns - j);
        for (Index k = 0; k < columns; ++k) std::copy_n(c + (j + k) * c_rows + row, rows, block + k * kPanel);
        Kernel::panel(depth, columns, packed, kPanel, b + first * b_stride + j, b_stride, 1, block, kPanel, block,
                      kPanel);
        for (Index k = 0; k < columns; ++k) std::copy_n(block + k * kPanel, rows, c + (j + k) * c_rows + row);
      }
    }
  }
}

/// sum (M) += the columns of A (M, n): the gradient of a bias.
template <class S>
void add_columns(const S* a, Index a_stride, Index n, Index rows, S* sum) {
  for (Index j = 0; j < n; ++j, a += a_stride)
    for_lanes<S>(rows, [&](auto lanes) { lanes.store(sum, lanes.load(sum) + lanes.load(a)); });
}

/// Below this many columns packing a weight costs more than it saves.
inline constexpr Index kFewColumns = 32;

/// Y (M, n) = bias + W X straight from the weight, for few columns: what `step` uses.
/// bias: (M) or null. Rows that fill no packet are covered by one that overlaps its neighbour and computes the same
/// again.
template <class S>
void multiply_unpacked(const Matrix<S>& w, const S* x, Index x_stride, Index n, const S* bias, S* y, Index y_stride) {
  using Kernel = ProductKernel<S>;
  constexpr Index kWidth = Packet<S>::size;
  const Index rows = w.rows(), depth = w.cols();
  // Calls body(row) so that blocks of `size` rows cover rows [first, rows); returns where the whole blocks end.
  const auto blocks = [&](Index first, Index size, bool overlap, auto&& body) {
    for (; first + size <= rows; first += size) body(first);
    if (overlap && first < rows) body(rows - size);
    return first;
  };
  if (n > 1 && rows >= Kernel::kPanel) {
    blocks(0, Kernel::kPanel, true, [&](Index row) {
      Kernel::panel(depth, n, w.data() + row, rows, x, 1, x_stride, bias ? bias + row : bias, 0, y + row, y_stride);
    });
    return;
  }
  for (Index j = 0; j < n; ++j, x += x_stride, y += y_stride) {
    const auto product = [&]<int packets>(std::integral_constant<int, packets>) {
      return [&](Index row) {
        Kernel::template run<packets, 1>(depth, w.data() + row, rows, x, 1, 0, bias ? bias + row : bias, 0, y + row, 0);
      };
    };
    Index row = blocks(0, 8 * kWidth, false, product(std::integral_constant<int, 8>{}));
    row = blocks(row, 4 * kWidth, false, product(std::integral_constant<int, 4>{}));
    blocks(row, kWidth, rows >= kWidth, product(std::integral_constant<int, 1>{}));
    if (rows >= kWidth) continue;
    const PartialLanes<S> lanes{0, rows};
    Packet<S> sum = bias ? lanes.load(bias) : Packet<S>(S(0));
    for (Index k = 0; k < depth; ++k) sum = fma(lanes.load(w.data() + k * rows), Packet<S>(x[k]), sum);
    lanes.store(y, sum);
  }
}

/// k (G M) = b_g + W_g x for each gate g, straight from the weights: for one column, with the sums of all gates side by
/// side, as each is one long chain. The same bits as `multiply_unpacked`.
template <class S, Index G>
void multiply_gates(const Array<Parameter<S>, G>& w, const Array<Parameter<S>, G>& b, const S* x, S* k) {
  constexpr Index kWidth = Packet<S>::size, kTogether = G > 2 ? 2 : 4;
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
  Index row = 0;
  for (; row + kTogether * kWidth <= rows; row += kTogether * kWidth)
    block(std::integral_constant<int, kTogether>{}, row);
  for (; row + kWidth <= rows; row += kWidth) block(std::integral_constant<int, 1>{}, row);
  if (row == rows) return;
  if (rows >= kWidth) return block(std::integral_constant<int, 1>{}, rows - kWidth);  // some rows once more
  for (int g = 0; g < G; ++g) multiply_unpacked(w[g].value, x, depth, 1, b[g].value.data(), k + g * rows, rows);
}

}  // namespace minrnn::detail
