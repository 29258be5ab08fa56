// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "minrnn/core/bit_cast.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/pair_sums.hpp"

/// Products of integers: a weight of 8 bits, a frame of 16. Sums are exact, so they are the same whatever the processor
/// and the order.
namespace minrnn::detail {

/// x = m 2^n with m in [1/2, 1): n, for x > 0. Of what is below all normal numbers, 0 too, one less than of those.
template <class S>
int binary_exponent(S x) {
  constexpr int kDigits = std::numeric_limits<S>::digits - 1;
  return static_cast<int>(detail::bit_cast<BitsOf<S>>(x) >> kDigits) + std::numeric_limits<S>::min_exponent - 1;
}
/// 2^n, a normal number.
template <class S>
S power_of_two(int n) {
  constexpr int kDigits = std::numeric_limits<S>::digits - 1, kBias = std::numeric_limits<S>::max_exponent - 1;
  return detail::bit_cast<S>(static_cast<BitsOf<S>>(n + kBias) << kDigits);
}

/// A stretch of a frame as integers of 16 bits: x_k = scale q_k + e_k with |e_k| <= scale / 2. The scale is a power of
/// two, so that x / scale is exact, and the largest |x_k| of the stretch is between 2^13 and 2^14 of it.
///
/// A sum over a stretch with weights from -127 to 127 is below 1024 127 2^14 < 2^31. Of frames that are known to be
/// shorter it need hold no more than `capacity` numbers, an even number.
template <class S, Index capacity = 1024>
struct IntegerFrame {
  static_assert(capacity <= 1024 && capacity % 2 == 0);
  static constexpr Index kMost = capacity;
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
    // Below, 1 / scale would be infinite.
    const int exponent = (std::max)(binary_exponent(most.largest()), std::numeric_limits<S>::min_exponent + kBits);
    scale = power_of_two<S>(exponent - kBits);
    const P by(power_of_two<S>(kBits - exponent));
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

  /// y (rows) = init + W x for a panel of at most 16 rows, whose pairs of columns stand right behind each other, and a
  /// slice of the depth. What is in memory behind the rows of the last pair does not matter, but is read.
  template <Index rows, class Frame>
  MINRNN_INLINE static void panel(Index pairs, const std::int8_t* w, const S* scale, const Frame& frame, const S* init,
                                  S* y) {
    alignas(64) std::int32_t sums[1][std::size_t{kPanel}];
    run<rows, 1>(pairs, w, &frame, sums);
    scaled<rows>(rows, sums[0], scale, frame.scale, init, y);
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
        run<kPanel, count>((depth + 1) / 2, w.panel(first / kPanel) + k * kPanel, frames, sums);
        for (Index j = 0; j < count; ++j) {
          const S* init = k > 0 ? y[j].data + first : bias.data ? bias.data + first : nullptr;
          scaled<kPanel>(std::min<Index>(kPanel, rows - first), sums[j], scale + first, frames[j].scale, init,
                         y[j].data + first);
        }
      }
    }
  }

  /// The sums of a panel of `rows` rows over a slice for `count` frames.
  template <Index rows, int count, class Frame>
  MINRNN_INLINE static void run(Index pairs, const std::int8_t* w, const Frame* frames,
                                std::int32_t (*sums)[std::size_t{kPanel}]) {
    // Where a register has one number, those of a few rows are enough to hold the sums.
    constexpr Index kTogether = Packet<S>::size > 1 ? rows : std::min<Index>(rows, 4);
    for (Index row = 0; row < rows; row += kTogether)
      run_rows<kTogether, count>(pairs, w + 2 * row, 2 * rows, frames, sums, row);
  }

  /// Of some rows of a panel, whose pairs of columns are `step` elements apart. As each is a chain of additions, some
  /// stand side by side.
  template <Index rows, int count, class Frame>
  MINRNN_INLINE static void run_rows(Index pairs, const std::int8_t* w, Index step, const Frame* frames,
                                     std::int32_t (*sums)[std::size_t{kPanel}], Index row) {
    using Sums = PairSumsOf<rows>;
    constexpr int kTogether = Sums::kTogether > count ? Sums::kTogether / count : 1;
    Sums partial[std::size_t{count * kTogether}];
    const auto add = [&](auto i, Index k) MINRNN_INLINE_LAMBDA {
      const typename Sums::Weights w_k(w + k * step);
      unroll<count>([&](auto j) MINRNN_INLINE_LAMBDA { partial[j * kTogether + i].add(w_k, frames[j].q + 2 * k); });
    };
    const Index whole = pairs / kTogether * kTogether;
    for (Index k = 0; k < whole; k += kTogether) unroll<kTogether>([&](auto i) MINRNN_INLINE_LAMBDA { add(i, k + i); });
    for (Index k = whole; k < pairs; ++k) add(std::integral_constant<int, 0>{}, k);
    unroll<count>([&](auto j) MINRNN_INLINE_LAMBDA {
      unroll<kTogether - 1>([&](auto i)
                                MINRNN_INLINE_LAMBDA { partial[j * kTogether].add(partial[j * kTogether + i + 1]); });
      partial[j * kTogether].store(sums[j] + row);
    });
  }

  /// y = init + sum scale scale_of_frame for some rows of at most `most`. init null: zero.
  template <Index most>
  MINRNN_INLINE static void scaled(Index rows, const std::int32_t* sums, const S* scale, S scale_of_frame,
                                   const S* init, S* y) {
    S numbers[std::size_t{most}];
    for (Index i = 0; i < most; ++i) numbers[i] = static_cast<S>(sums[i]);
    for_lanes<S>(rows, [&](auto i) {
      using P = typename decltype(i)::P;
      const P by = i.load(scale) * P(scale_of_frame);
      i.store(y, fma(i.load(numbers), by, init ? i.load(init) : P(S(0))));
    });
  }
};

}  // namespace minrnn::detail
