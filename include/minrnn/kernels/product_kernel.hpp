// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/prefetch.hpp"

namespace minrnn::detail {

/// Whether a target has 32 registers, not 16.
inline constexpr bool kManyRegisters = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32;

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
  static constexpr int kColumns = kManyRegisters ? 12 : 6;
  static constexpr Index kPanel = kRows * P::size;
  /// The depth of a panel that stays in L1 while all columns pass by.
  static constexpr Index kDepth = 16384 / (kPanel * sizeof(S));

  /// C (R packets, N) = init + A (R packets, depth) B (depth, N). Element (k, j) of B is b[k * b_step + j * b_stride];
  /// init is null for zero, or a column per C column, init_stride apart (0: the same column, a bias).
  template <int R, int N>
  MINRNN_INLINE static void run(Index depth, const S* a, Index a_step, const S* b, Index b_step, Index b_stride,
                                const S* init, Index init_stride, S* c, Index c_stride) {
    run<R>(std::make_integer_sequence<int, R * N>{}, depth, a, a_step, b, b_step, b_stride, init, init_stride, c,
           c_stride);
  }

  /// As `run` for a panel of kPanel rows and any number of columns, a part of the depth after the other.
  static void panel(Index depth, Index columns, const S* a, Index a_step, const S* b, Index b_step, Index b_stride,
                    const S* init, Index init_stride, S* c, Index c_stride, Prefetcher<S>* ahead = nullptr) {
    for (Index first = 0; first < depth; first += kDepth) {
      const Index part = std::min<Index>(kDepth, depth - first);
      const auto from = [&](Index j) { return init ? init + j * init_stride : init; };
      Index j = 0;
      const auto next = [&]<int N>(std::integral_constant<int, N>) MINRNN_INLINE_LAMBDA {
        run<kRows, N>(part, a, a_step, b + j * b_stride, b_step, b_stride, from(j), init_stride, c + j * c_stride,
                      c_stride);
        j += N;
      };
      while (columns - j >= kColumns) {
        if (init == c)  // sums of a gradient, which lie far from here
          for (Index k = j + kColumns; k < std::min<Index>(columns, j + 2 * kColumns); ++k) prefetch(c + k * c_stride);
        if (ahead) ahead->ask();
        next(std::integral_constant<int, kColumns>{});
      }
      // Few sizes, as each is code of its own; those that a power of two leaves keep the processor as busy.
      if constexpr (kColumns > 8)
        if (columns - j >= 8) next(std::integral_constant<int, 8>{});
      if (columns - j >= 4) next(std::integral_constant<int, 4>{});
      if (columns - j == 3) next(std::integral_constant<int, 3>{});
      if (columns - j == 2) next(std::integral_constant<int, 2>{});
      if (columns - j == 1) next(std::integral_constant<int, 1>{});
      a += part * a_step;
      b += part * b_step;
      init = c;
      init_stride = c_stride;
    }
  }

 private:
  /// The sums i are those of packet i % R of column i / R.
  template <int R, int... i>
  MINRNN_INLINE static void run(std::integer_sequence<int, i...>, Index depth, const S* a, Index a_step, const S* b,
                                Index b_step, Index b_stride, const S* init, Index init_stride, S* c, Index c_stride) {
    constexpr int kPointers = (sizeof...(i) / R + 2) / 3;  // one for three columns: x86 addresses reach the other two
    P sum[] = {(init ? P::load(init + i / R * init_stride + i % R * P::size) : P(S(0)))...};
    const S* column[std::size_t{kPointers}];
    unroll<kPointers>([&](auto j) MINRNN_INLINE_LAMBDA { column[j] = b + 3 * j * b_stride; });
    for (Index k = 0; k < depth; ++k, a += a_step) {
      ((sum[i] = fma(P::load(a + i % R * P::size), P(column[i / R / 3][i / R % 3 * b_stride]), sum[i])), ...);
      unroll<kPointers>([&](auto j) MINRNN_INLINE_LAMBDA { column[j] += b_step; });
    }
    (sum[i].store(c + i / R * c_stride + i % R * P::size), ...);
  }
};

}  // namespace minrnn::detail
