// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/prefetch.hpp"

namespace minrnn::detail {

/// The product that all others are made of. It keeps a block of C in registers, R packets of rows by N columns, and
/// walks the depth:
///
///             b(k, 0) ... b(k, N-1)          for k:  load R packets of column k of A,
///          +--------------------------+              broadcast N scalars of row k of B,
///   a(:,k) |  c(:, 0) ... c(:, N-1)   |              R * N multiply-adds
///          +--------------------------+
template <class S>
struct ProductKernel {
  using P = Packet<S>;
  static constexpr int kRows = 2;  // packets
  static constexpr int kColumns = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 12 : 6;
  static constexpr Index kPanel = kRows * P::size;
  /// The depth of a panel that stays in L1 while all columns pass by.
  static constexpr Index kDepth = 16384 / (kPanel * sizeof(S));

  /// C (R packets, N) = init + A (R packets, depth) B (depth, N). Element (k, j) of B is b[k * b_step + j * b_stride];
  /// init is null for zero, or a column per C column, init_stride apart (0: the same column, a bias).
  template <int R, int N>
  MINRNN_INLINE static void run(Index depth, const S* a, Index a_step, const S* b, Index b_step, Index b_stride,
                                const S* init, Index init_stride, S* c, Index c_stride) {
    P sum[std::size_t{N}][std::size_t{R}];
    unroll<N>([&](auto j) MINRNN_INLINE_LAMBDA {
      unroll<R>([&](auto r) MINRNN_INLINE_LAMBDA {
        sum[j][r] = init ? P::load(init + j * init_stride + r * P::size) : P(S(0));
      });
    });
    const S* column[std::size_t{(N + 2) / 3}];  // one pointer for three columns: x86 addresses reach the other two
    unroll<(N + 2) / 3>([&](auto j) MINRNN_INLINE_LAMBDA { column[j] = b + 3 * j * b_stride; });
    for (Index k = 0; k < depth; ++k, a += a_step) {
      P w[std::size_t{R}];
      unroll<R>([&](auto r) MINRNN_INLINE_LAMBDA { w[r] = P::load(a + r * P::size); });
      unroll<N>([&](auto j) MINRNN_INLINE_LAMBDA {
        const P x(column[j / 3][(j % 3) * b_stride]);
        unroll<R>([&](auto r) MINRNN_INLINE_LAMBDA { sum[j][r] = fma(w[r], x, sum[j][r]); });
      });
      unroll<(N + 2) / 3>([&](auto j) MINRNN_INLINE_LAMBDA { column[j] += b_step; });
    }
    unroll<N>([&](auto j) MINRNN_INLINE_LAMBDA {
      unroll<R>([&](auto r) MINRNN_INLINE_LAMBDA { sum[j][r].store(c + j * c_stride + r * P::size); });
    });
  }

  /// As `run` for a panel of kPanel rows and any number of columns, a part of the depth after the other.
  static void panel(Index depth, Index columns, const S* a, Index a_step, const S* b, Index b_step, Index b_stride,
                    const S* init, Index init_stride, S* c, Index c_stride, Prefetcher<S>* ahead = nullptr) {
    for (Index first = 0; first < depth; first += kDepth) {
      const Index part = std::min<Index>(kDepth, depth - first);
      const auto from = [&](Index j) { return init ? init + j * init_stride : init; };
      Index j = 0;
      for (; j + kColumns <= columns; j += kColumns) {
        if (init == c)  // sums of a gradient, which lie far from here
          for (Index next = j + kColumns; next < std::min<Index>(columns, j + 2 * kColumns); ++next)
            prefetch(c + next * c_stride);
        if (ahead) ahead->ask();
        run<kRows, kColumns>(part, a, a_step, b + j * b_stride, b_step, b_stride, from(j), init_stride,
                             c + j * c_stride, c_stride);
      }
      rest<kColumns - 1>(columns - j, part, a, a_step, b + j * b_stride, b_step, b_stride, from(j), init_stride,
                         c + j * c_stride, c_stride);
      a += part * a_step;
      b += part * b_step;
      init = c;
      init_stride = c_stride;
    }
  }

 private:
  template <int N, class... Args>
  MINRNN_INLINE static void rest(Index columns, Index depth, Args... args) {
    if constexpr (N > 0) {
      if (columns == N)
        run<kRows, N>(depth, args...);
      else
        rest<N - 1>(columns, depth, args...);
    }
  }
};

}  // namespace minrnn::detail
