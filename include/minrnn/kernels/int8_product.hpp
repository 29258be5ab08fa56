// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/pair_sums.hpp"

/// Products of integers: a weight of 8 bits, a frame of 16. Sums are exact, so they are the same whatever the processor
/// and the order.
namespace minrnn::detail {

/// A stretch of a frame as integers of 16 bits: x_k = scale q_k + e_k with |e_k| <= scale / 2. The scale is a power of
/// two, so that x / scale is exact, and the largest |x_k| of the stretch is between 2^13 and 2^14 of it.
///
/// A sum over a stretch with weights from -127 to 127 is below 1024 127 2^14 < 2^31.
template <class S>
struct IntegerFrame {
  static constexpr Index kMost = 1024;
  static constexpr int kBits = 14;

  alignas(64) std::int16_t q[std::size_t{kMost}];
  S scale;  // NaN where x has a number that is not finite

  /// Of n numbers, 1 <= n <= kMost; one more is 0 where n is odd.
  void take(const S* x, Index n) {
    using P = Packet<S>;
    const auto from = [&](Index k) { return k + P::size <= n ? P::load(x + k) : P::load_part(x + k, n - k); };
    P most(S(0)), wrong = most;
    for (Index k = 0; k < n; k += P::size) {
      most = maximum(most, absolute(from(k)));
      wrong = fma(from(k), P(S(0)), wrong);  // 0, or NaN
    }
    if (!all_finite(wrong)) {
      std::fill_n(q, (n + 1) / 2 * 2, std::int16_t{0});
      scale = std::numeric_limits<S>::quiet_NaN();
      return;
    }
    int exponent = 0;
    std::frexp(most.largest(), &exponent);
    // Below, 1 / scale would be infinite.
    exponent = (std::max)(exponent, std::numeric_limits<S>::min_exponent + kBits);
    scale = std::ldexp(S(1), exponent - kBits);
    const P by(std::ldexp(S(1), kBits - exponent));
    S numbers[std::size_t{P::size}];
    for (Index k = 0; k < n; k += P::size) {
      rounded(from(k) * by).store(numbers);
      for (Index i = 0; i < std::min<Index>(P::size, kMost - k); ++i) q[k + i] = static_cast<std::int16_t>(numbers[i]);
    }
    if (P::size == 1 && n % 2 == 1) q[n] = 0;
  }
};

template <class S>
struct Int8Product {
  static constexpr Index kPanel = StoredMatrix<std::int8_t>::kPanel, kSlice = IntegerFrame<S>::kMost;
  static constexpr int kColumns = 4;  // for which a weight is read once

  /// Y (rows, n) = bias + W X. Without a bias: an empty row.
  static void multiply(const StoredMatrix<std::int8_t>& w, const S* scale, const Columns<const S>& x, Row<const S> bias,
                       const Columns<S>& y) {
    Index j = 0;
    for (; j + kColumns <= x.count; j += kColumns)
      columns<kColumns>(w, scale, x.block(j, kColumns), bias, y.block(j, kColumns));
    for (; j < x.count; ++j) columns<1>(w, scale, x.block(j, 1), bias, y.block(j, 1));
  }

 private:
  /// A slice of the depth after the other, each of them with scales of its own for the frames.
  template <int count>
  static void columns(const StoredMatrix<std::int8_t>& w, const S* scale, const Columns<const S>& x, Row<const S> bias,
                      const Columns<S>& y) {
    IntegerFrame<S> frames[std::size_t{count}];
    const Index rows = w.rows();
    for (Index k = 0; k < w.cols(); k += kSlice) {
      const Index depth = std::min<Index>(kSlice, w.cols() - k);
      for (Index j = 0; j < count; ++j) frames[j].take(x[j].data + k, depth);
      for (Index first = 0; first < rows; first += kPanel) {
        alignas(64) std::int32_t sums[std::size_t{count}][std::size_t{kPanel}];
        run<count>((depth + 1) / 2, w.panel(first / kPanel) + k * kPanel, frames, sums);
        for (Index j = 0; j < count; ++j) {
          const S* init = k > 0 ? y[j].data + first : bias.data ? bias.data + first : nullptr;
          scaled(std::min<Index>(kPanel, rows - first), sums[j], scale + first, frames[j].scale, init,
                 y[j].data + first);
        }
      }
    }
  }

  /// The sums of 16 rows over a slice for `count` frames. As each is a chain of additions, some stand side by side.
  template <int count>
  MINRNN_INLINE static void run(Index pairs, const std::int8_t* w, const IntegerFrame<S>* frames,
                                std::int32_t (*sums)[std::size_t{kPanel}]) {
    constexpr int kTogether = PairSums::kTogether > count ? PairSums::kTogether / count : 1;
    PairSums partial[std::size_t{count * kTogether}];
    Index k = 0;
    const auto add = [&](auto i) MINRNN_INLINE_LAMBDA {
      const PairSums::Weights w_k(w + (k + i) * 2 * kPanel);
      unroll<count>([&](auto j)
                        MINRNN_INLINE_LAMBDA { partial[j * kTogether + i].add(w_k, frames[j].q + 2 * (k + i)); });
    };
    for (; k + kTogether <= pairs; k += kTogether) unroll<kTogether>(add);
    for (; k < pairs; ++k) add(std::integral_constant<int, 0>{});
    unroll<count>([&](auto j) MINRNN_INLINE_LAMBDA {
      unroll<kTogether - 1>([&](auto i)
                                MINRNN_INLINE_LAMBDA { partial[j * kTogether].add(partial[j * kTogether + i + 1]); });
      partial[j * kTogether].store(sums[j]);
    });
  }

  /// y = init + sum scale scale_of_frame for some rows. init null: zero.
  MINRNN_INLINE static void scaled(Index rows, const std::int32_t* sums, const S* scale, S scale_of_frame,
                                   const S* init, S* y) {
    S numbers[std::size_t{kPanel}];
    for (Index i = 0; i < kPanel; ++i) numbers[i] = static_cast<S>(sums[i]);
    for_lanes<S>(rows, [&](auto i) {
      using P = typename decltype(i)::P;
      const P by = i.load(scale) * P(scale_of_frame);
      i.store(y, fma(i.load(numbers), by, init ? i.load(init) : P(S(0))));
    });
  }
};

}  // namespace minrnn::detail
