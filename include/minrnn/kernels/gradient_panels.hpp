// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/prefetch.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/product_kernel.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn::detail {

/// The gradients dW = sum dY X^T over all frames of some weights (M, K) in panels that no two workers share:
///
///                                      K             X^T (frames, K)
///                             +------+------+
///                         M   | 384  |      |        A panel stays near while its rows of dY and its columns of X
///      dY (M, frames)         +------+------+        pass by, packed. The larger it is, the fewer times they do.
///                             |      |      |
///                             +------+------+
///
/// So it is where dW is large: beside tiles of time, which have a dW each, it would be read and written once for every
/// block of time, from far away, and 64 of them would fill a memory of their own.
class GradientPanels {
 public:
  static constexpr Index kMost = 384;  // rows and columns of a panel: 576 KiB in float

  GradientPanels(Index weights, Index rows, Index columns)
      : weights_(weights), rows_(pieces(rows)), columns_(pieces(columns)) {}

  /// Whether that is the faster way for weights of so many scalars, by measurement: from half an L2 on (1 MiB in float)
  /// where dY must be kept for it, and where it is there, from a few times an L1 on.
  static bool pays(Index size, bool is_dy_there) { return size >= (Index{1} << (is_dy_there ? 15 : 18)); }

  Index count() const { return weights_ * rows_.count() * columns_.count(); }
  /// The scalars of the largest one.
  Index size() const { return rows_.last(0) * columns_.last(0); }

  struct Panel {
    Index weight, row, rows, column, columns;

    template <class S>
    Columns<S> of(Columns<S> dw) const {
      return dw.features(row, rows).block(column, columns);
    }
  };
  Panel operator[](Index i) const {
    const Index row = i / columns_.count() % rows_.count(), column = i % columns_.count();
    return {i / columns_.count() / rows_.count(), rows_.first(row), rows_.last(row) - rows_.first(row),
            columns_.first(column), columns_.last(column) - columns_.first(column)};
  }

 private:
  /// Pieces as equal as they can be, of whole panels of the product's kernel.
  static Pieces pieces(Index n) { return {n, (n + kMost - 1) / kMost, 32}; }

  Index weights_;
  Pieces rows_, columns_;
};

/// C (M, K) += A (M, n) B (K, n)^T for a panel C, from copies of A and B in which the kernel walks straight on.
template <class S>
class PanelProduct {
  using Kernel = ProductKernel<S>;
  static constexpr Index kRows = Kernel::kPanel, kColumns = Kernel::kColumns;

 public:
  /// The most columns of A and B at a time: their copies, and those that follow, take up to 0.4 MiB each in float.
  static constexpr Index kDepth = 128;

 private:
  static constexpr Index kOfA = (GradientPanels::kMost + kRows) * kDepth,
                         kOfB = (GradientPanels::kMost + kColumns) * kDepth;

 public:
  static constexpr Index kScratch = kOfA + kOfB;

  struct Operands {
    Columns<const S> a, b;  // (M, n), (K, n)
  };
  /// Asks memory meanwhile for what is multiplied next, which lies a frame here, a frame there.
  static void add(const Operands& now, const Operands& next, Columns<S> c, S* scratch) {
    S *const packed_a = scratch, *const packed_b = scratch + kOfA;
    const Index depth = now.a.count, whole = c.rows / kRows * kRows;
    pack<kRows>(now.a.features(0, whole), packed_a);
    pack<kColumns>(now.b, packed_b);
    const Index blocks = std::max<Index>(whole / kRows * ((c.count + kColumns - 1) / kColumns), 1);
    const Pieces ahead(next.a.count, blocks);
    for (Index row = 0, block = 0; row < whole; row += kRows)
      for (Index j = 0; j < c.count; j += kColumns, ++block) {
        for (Index k = ahead.first(block); k < ahead.last(block); ++k) {
          prefetch(next.a[k].data, next.a.rows);
          prefetch(next.b[k].data, next.b.rows);
        }
        S* const sum = c[j].data + row;
        Kernel::panel(depth, std::min<Index>(kColumns, c.count - j), packed_a + row * depth, kRows,
                      packed_b + j * depth, kColumns, 1, sum, c.stride, sum, c.stride);
      }
    if (whole < c.rows)
      add_outer_product(now.a.features(whole, c.rows - whole), now.b, c.features(whole, c.rows - whole), packed_a);
  }

 private:
  /// Rows [i width, (i + 1) width) of all columns, one column behind the other, for one i after the other.
  template <Index width>
  static void pack(Columns<const S> from, S* to) {
    for (Index row = 0; row < from.rows; row += width)
      for (Index k = 0; k < from.count; ++k, to += width) {
        if (row + width <= from.rows)
          std::memcpy(to, from[k].data + row, width * sizeof(S));  // std::copy_n would call memmove
        else
          std::copy_n(from[k].data + row, from.rows - row, to);
      }
  }
};

/// dW_i += sum of dY_i X^T over all frames, for N gradients of one shape (M, K), in panels.
///
/// Shapes      dY (N M, T, B): the rows of one weight behind those of another; X (K, T, B)
/// Memory      sums: for each piece of the frames all panels; scratch: of each worker
template <class S>
void add_products_in_panels(const Context& context, SequenceView<const std::type_identity_t<S>> dy,
                            SequenceView<const std::type_identity_t<S>> x, std::span<Matrix<S>* const> dw,
                            Sequence<S>& memory, Sequence<S>& scratch) {
  const Index rows = dw[0]->rows();
  const GradientPanels panels(static_cast<Index>(dw.size()), rows, dw[0]->cols());
  const Index count = panels.count();
  const double work = static_cast<double>(dy.features()) * static_cast<double>(x.features());
  const Frames frames(work, Tiles::pieces_for(dy.time() * dy.batch(), count), dy, x);
  const SequenceView<S> sums = memory.resize(panels.size(), frames.tiles(), count);
  const SequenceView<S> packed = scratch.resize(PanelProduct<S>::kScratch, 1, context.workers());
  parallel_for(context, frames.tiles() * count, frames.work(), [&](Index tile, Index worker) {
    const auto panel = panels[tile % count];
    const Index piece = tile / count;
    const Columns<S> sum(sums.column(piece, tile % count), panel.rows, panel.columns);
    std::fill_n(sum.data, panel.rows * panel.columns, S(0));
    const auto operands = [&](const Frames::Block& block) -> typename PanelProduct<S>::Operands {
      if (block.count == 0) return {};
      return {frames.columns(dy, block).features(panel.weight * rows + panel.row, panel.rows),
              frames.columns(x, block).features(panel.column, panel.columns)};
    };
    auto block = frames.blocks(piece, PanelProduct<S>::kDepth), next = block;
    for (next.next(); block.next();) {
      next.next();
      PanelProduct<S>::add(operands(block), operands(next), sum, packed.column(0, worker));
    }
  });
  parallel_for(context, count, 8 * static_cast<double>(sums.size()), [&](Index i, Index) {
    const auto panel = panels[i];
    const Columns<S> to = panel.of(Columns<S>(*dw[static_cast<std::size_t>(panel.weight)]));
    for (Index j = 0; j < panel.columns; ++j)
      for (Index piece = 0; piece < frames.tiles(); ++piece) {
        const Columns<S> sum(sums.column(piece, i), panel.rows, panel.columns);
        for_lanes<S>(panel.rows, [&](auto lanes) { to[j][lanes] += sum[j][lanes]; });
      }
  });
}

}  // namespace minrnn::detail
