// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/math/log_space.hpp"

namespace minrnn::detail {

/// Causal attention of one head over one sequence, in tiles: no (T, T) matrix is ever stored.
///
/// Equations   s = K^T q;  p = softmax of s over the keys that q sees;  o = V p
/// Gradient    dp = V^T do;  ds = p (dp - <do, o>);  dq = K ds;  dK = sum q ds^T;  dV = sum do p^T
///
///               48 queries           forward: for each block of queries, from left to right over its blocks of
///             +------------+           keys, scores of a tile by the product kernel, its exponentials, V times
///     64 keys |  s, then p |           those, each sum scaled down where a larger score appears (running softmax)
///             +------------+         backward: for each block of keys over the queries that see it, the tile again,
///                                      from what forward kept of each query: its largest score and its sum of
///                                      exponentials
///
/// Range       scores of a query are in units of its own, so that none leaves the range of S; exponents are s times the
///             unit
/// Shapes      q, k, v: columns of `padded(E)` scalars, E features of a head, zeros below; q scaled already. Keys are
///             `earlier` of before the first query, then one for each of the T queries
/// Source      Dao et al. 2022, "FlashAttention"; Milakov and Gimelshein 2018, "Online normalizer calculation for
///             softmax"
template <class S>
class AttentionHead {
  using Kernel = ProductKernel<S>;
  using P = Packet<S>;
  static constexpr Index kPanel = Kernel::kPanel, kQueries = 48, kKeys = 64;
  static constexpr S kTame = S(0x1p20);  // the magnitude of numbers beside which a rounding is nothing
  static_assert(kKeys % kPanel == 0);

 public:
  Index size;                 // E
  Index time, earlier;        // T queries; keys before them
  const S *q, *k, *v;         // (padded(E), T), (padded(E), earlier + T) twice
  const std::int32_t* first;  // (T): the first key that each query sees; the last is its own
  const S* unit;              // (T): powers of two that the queries are divided by, and with them their scores
  S most_q, most_k, most_v;   // `largest_of` q before that, k, v

  static Index padded(Index n) { return (n + kPanel - 1) / kPanel * kPanel; }
  /// Scalars of scratch that either direction needs.
  static Index scratch_size(Index size, Index time, Index keys) {
    return 2 * size * padded(keys) + padded(size) * (time + kQueries) + 2 * kKeys * (kQueries + size) + 2 * time +
           kOuterScratch<S>;
  }

  /// o: columns o_stride apart. Of each query, largest (T): its largest score, and share (T): the probability of that,
  /// 1 over the sum of exponentials. Not the logarithm of both: large scores would round what that adds away.
  void forward(S* scratch, S* o, Index o_stride, S* largest, S* share) const {
    S* keys_by_row = take(scratch, size * padded(earlier + time));
    S* scores = take(scratch, kKeys * kQueries);
    S* sums = take(scratch, padded(size) * kQueries);
    pack_rows(k, keys_by_row);
    std::fill_n(largest, time, std::numeric_limits<S>::lowest());
    for (Index t = 0; t < time; t += kQueries) {
      const Index count = std::min<Index>(kQueries, time - t), end = earlier + t + count;
      S total[kQueries];
      std::fill_n(total, count, S(0));
      std::fill_n(sums, padded(size) * count, S(0));
      for (Index key = first_block(t, count); key < end; key += kKeys) {
        const Index keys = std::min<Index>(kKeys, end - key);
        tile_of_scores(keys_by_row, t, count, key, keys, scores);
        for (Index j = 0; j < count; ++j) {
          S* column = scores + j * kKeys;
          P most(largest[t + j]);
          for (Index i = 0; i < padded(keys); i += P::size) most = maximum(most, P::load(column + i));
          const S now = most.largest(), before = std::exchange(largest[t + j], now);
          P sum(S(0));
          in_unit(t + j, [&](auto exp_of) MINRNN_INLINE_LAMBDA {
            for (Index i = 0; i < padded(keys); i += P::size) {
              const P p = exp_of(P::load(column + i) - P(now));
              p.store(column + i);
              sum = sum + p;
            }
          });
          const P factor = exp((P(before) - P(now)) * P(unit[t + j]));
          total[j] = total[j] * factor.first() + sum.sum();
          if (before != now)
            for (Index i = 0; i < padded(size); i += P::size) {
              S* to = sums + j * padded(size) + i;
              (P::load(to) * factor).store(to);
            }
        }
        add_seen_keys(v + key * padded(size), most_v > S(0), t, count, key, keys, scores, sums);
      }
      for (Index j = 0; j < count; ++j) {
        share[t + j] = S(1) / total[j];
        for_lanes<S>(size, [&](auto lanes) {
          lanes.store(o + (t + j) * o_stride, lanes.load(sums + j * padded(size)) * P(share[t + j]));
        });
      }
    }
  }

  /// A power of two by which a query is divided so that its product with any of the keys is a number: 1 as long as `q`
  /// and `k`, the largest magnitudes of both, leave it one.
  static S unit_of(Index size, S q, S k) {
    constexpr int kMost = std::numeric_limits<S>::max_exponent - 2;
    if (!(q > S(1) && k > S(1)) || !std::isfinite(q)) return S(1);
    const int exponent = std::ilogb(q) + std::ilogb(k) + std::ilogb(static_cast<S>(size)) + 3;
    return exponent <= kMost ? S(1) : std::ldexp(S(1), std::min<int>(exponent - kMost, kMost));
  }
  /// The largest magnitude of n numbers; 0 where one is not finite, which no unit makes a number.
  static S largest_of(Index n, const S* numbers) {
    Packet<S, 4> most(S(0)), zeros(S(0));
    for_lanes<S, 4>(n, [&](auto lanes) {
      const auto x = lanes.load(numbers);
      most = maximum(most, absolute(x));
      zeros = fma(x, Packet<S, 4>(S(0)), zeros);
    });
    return zeros.sum() == S(0) ? most.largest() : S(0);
  }

  /// One query (E) over `count` keys and values that lie anywhere, key i at keys + place(i): a step. weights: scratch
  /// (count).
  template <class Place>
  static void attend_once(Index size, const S* q, const S* keys, const S* values, Index count, Place&& place,
                          S* weights, S* o) {
    // Scores in a unit: that they are numbers is known only when they are there.
    const auto largest_score = [&](auto of_query) {
      S largest = std::numeric_limits<S>::lowest(), zeros = 0;
      for (Index i = 0; i < count; ++i) {
        const S* key = keys + place(i);
        P sum(S(0));
        for_lanes<S>(size, [&](auto lanes) { sum = fma(of_query(lanes.load(q)), lanes.load(key), sum); });
        weights[i] = sum.sum();
        largest = std::max<S>(largest, weights[i]);
        zeros += weights[i] * S(0);
      }
      return std::pair{largest, zeros == S(0)};
    };
    S divisor = 1, total = 0;
    const auto [first_largest, numbers] = largest_score([](const P& of_q) { return of_q; });
    S largest = first_largest;
    if (!numbers) [[unlikely]] {
      S most = 0;
      for (Index i = 0; i < count; ++i) most = std::max<S>(most, largest_of(size, keys + place(i)));
      divisor = unit_of(size, largest_of(size, q), most);
      largest = largest_score([by = P(1 / divisor)](const P& of_q) { return of_q * by; }).first;
    }
    for_lanes<S>(count,
                 [&](auto lanes) { lanes.store(weights, exp((lanes.load(weights) - P(largest)) * P(divisor))); });
    for (Index i = 0; i < count; ++i) total += weights[i];
    for_lanes<S>(size, [&](auto lanes) {
      P sum(S(0));
      for (Index i = 0; i < count; ++i) sum = fma(lanes.load(values + place(i)), P(weights[i]), sum);
      lanes.store(o, sum * P(1 / total));
    });
  }

  /// From o, largest and share of forward and the gradient d_o. Calls write_key(key, dk, dv) for each key, the last one
  /// first, and then write_query(t, dq) for each query; E scalars each, which may be changed.
  template <class WriteKey, class WriteQuery>
  void backward(S* scratch, const S* o, const S* d_o, Index o_stride, const S* largest, const S* share,
                WriteKey&& write_key, WriteQuery&& write_query) const {
    const Index all = earlier + time;
    S* keys_by_row = take(scratch, size * padded(all));
    S* values_by_row = take(scratch, size * padded(all));
    S* scores = take(scratch, kKeys * kQueries);
    S* d_scores = take(scratch, kKeys * kQueries);
    S* dk = take(scratch, size * kKeys);
    S* dv = take(scratch, size * kKeys);
    S* dq = take(scratch, padded(size) * time);
    S* packed = take(scratch, kOuterScratch<S>);
    S* along = take(scratch, time);  // <do, o>
    pack_rows(k, keys_by_row);
    pack_rows(v, values_by_row);
    std::fill_n(dq, padded(size) * time, S(0));
    const bool all_tame = most_q > S(0) && most_q < kTame && most_k > S(0) && most_k < kTame;
    bool finite_d_o = true;
    for (Index t = 0; t < time; ++t) {
      const S *o_t = o + t * o_stride, *d_o_t = d_o + t * o_stride;
      const auto [product, magnitudes] = inner_product(o_t, d_o_t);
      const bool is_small = magnitudes < kTame;
      finite_d_o &= is_small;
      along[t] = is_small && (all_tame || tame(t)) ? product : ordered_inner_product(o_t, d_o_t);
    }
    for (Index key = (all + kKeys - 1) / kKeys * kKeys; (key -= kKeys) >= 0;) {
      const Index block = std::min<Index>(kKeys, all - key);
      std::fill_n(dk, size * block, S(0));
      std::fill_n(dv, size * block, S(0));
      for (Index t = std::max<Index>(0, key - earlier) / kQueries * kQueries; t < time; t += kQueries) {
        const Index count = std::min<Index>(kQueries, time - t);
        const Index keys =
            std::min<Index>(block, earlier + t + count - key);  // the others lie ahead of all these queries
        if (first_block(t, count) > key) continue;
        rows_times_columns(keys_by_row, key, keys, q + t * padded(size), padded(size), count, scores);
        const bool whole = keys % P::size == 0 && all_seen(t, count, key, keys);
        rows_times_columns(values_by_row, key, keys, d_o + t * o_stride, o_stride, count, d_scores);
        for (Index j = 0; j < count; ++j) {
          S *p = scores + j * kKeys, *ds = d_scores + j * kKeys;
          const P most(largest[t + j]), share_of_most(share[t + j]), mean(along[t + j]);
          in_unit(t + j, [&](auto exp_of) MINRNN_INLINE_LAMBDA {
            for (Index i = 0; i < padded(keys); i += P::size) {
              const P probability = exp_of(P::load(p + i) - most) * share_of_most;
              probability.store(p + i);
              (probability * (P::load(ds + i) - mean)).store(ds + i);
            }
          });
          if (!whole)
            for (S* column : {p, ds}) fill_unseen(t + j, key, padded(keys), S(0), column);
        }
        add_seen_queries(d_o + t * o_stride, finite_d_o, o_stride, t, count, key, keys, scores, dv, packed);
        add_seen_keys(k + key * padded(size), most_k > S(0), t, count, key, keys, d_scores, dq + t * padded(size));
        for (Index j = 0; j < count; ++j)  // times q, which is in its unit
          if (unit[t + j] != S(1))
            for (Index i = 0; i < keys; ++i) d_scores[j * kKeys + i] *= unit[t + j];
        add_seen_queries(q + t * padded(size), most_q > S(0), padded(size), t, count, key, keys, d_scores, dk, packed);
      }
      for (Index i = block; i-- > 0;) write_key(key + i, dk + i * size, dv + i * size);
    }
    for (Index t = 0; t < time; ++t) write_query(t, dq + t * padded(size));
  }

 private:
  /// Calls body(exp_of) with the exponential of a difference of scores of a query.
  template <class Body>
  MINRNN_INLINE void in_unit(Index query, Body&& body) const {
    if (unit[query] == S(1)) [[likely]]
      return body([](P x) MINRNN_INLINE_LAMBDA { return exp(x); });
    body([scale = P(unit[query])](P x) MINRNN_INLINE_LAMBDA { return exp(x * scale); });
  }

  /// Whether a query and all the keys that it sees are below kTame; no other key is asked.
  bool tame(Index t) const {
    bool is = largest_of(size, q + t * padded(size)) < kTame;
    for (Index key = first[t]; is && key <= earlier + t; ++key) is = largest_of(size, k + key * padded(size)) < kTame;
    return is;
  }
  /// <x, y> of two columns (E), and the sum of the magnitudes of its products.
  std::pair<S, S> inner_product(const S* x, const S* y) const {
    P sum(S(0)), magnitudes(S(0));
    for_lanes<S>(size, [&](auto lanes) {
      const P left = lanes.load(x), right = lanes.load(y);
      sum = fma(left, right, sum);
      magnitudes = fma(absolute(left), absolute(right), magnitudes);
    });
    return {sum.sum(), magnitudes.sum()};
  }
  /// The same in the order of the kernel that gives dp. Where a query sees one key alone, or the others vanish beside
  /// it, o is the value of that key, and dp - <do, o> is 0: to the bit in this order. Beside large numbers a rounding
  /// is far from 0.
  S ordered_inner_product(const S* x, const S* y) const {
    P sum(S(0));
    for (Index e = 0; e < size; ++e) sum = fma(P(x[e]), P(y[e]), sum);
    return sum.first();
  }

  static S* take(S*& scratch, Index count) { return std::exchange(scratch, scratch + count); }

  /// The first key, rounded down to a block, that one of some queries sees.
  Index first_block(Index t, Index count) const {
    return *std::min_element(first + t, first + t + count) / kKeys * kKeys;
  }

  /// Keys (padded(E), n) as the kernel wants rows: panels of kPanel keys, each contiguous over the features.
  void pack_rows(const S* columns, S* to) const {
    const Index all = earlier + time;
    for (Index panel = 0; panel < all; panel += kPanel)
      for (Index i = 0; i < kPanel; ++i)
        for (Index e = 0; e < size; ++e)
          to[panel * size + e * kPanel + i] = panel + i < all ? columns[(panel + i) * padded(size) + e] : S(0);
  }

  /// tile (kKeys, n): rows [key, key + keys) of what `pack_rows` made times n columns of E scalars.
  void rows_times_columns(const S* rows, Index key, Index keys, const S* columns, Index stride, Index n,
                          S* tile) const {
    for (Index i = 0; i < keys; i += kPanel)
      Kernel::panel(size, n, rows + (key + i) * size, kPanel, columns, 1, stride, nullptr, 0, tile + i, kKeys);
  }

  /// The scores of a tile, -inf for what is not seen.
  void tile_of_scores(const S* keys_by_row, Index t, Index count, Index key, Index keys, S* scores) const {
    rows_times_columns(keys_by_row, key, keys, q + t * padded(size), padded(size), count, scores);
    for (Index j = 0; j < count; ++j)
      fill_unseen(t + j, key, padded(keys), -std::numeric_limits<S>::infinity(), scores + j * kKeys);
  }

  /// Which rows [first, last) of a tile of keys from `key` on a query sees.
  std::pair<Index, Index> seen(Index query, Index key, Index rows) const {
    const Index from = std::clamp<Index>(first[query] - key, 0, rows);
    return {from, std::clamp<Index>(earlier + query + 1 - key, from, rows)};
  }
  void fill_unseen(Index query, Index key, Index rows, S value, S* column) const {
    const auto [from, to] = seen(query, key, rows);
    std::fill(column, column + from, value);
    std::fill(column + to, column + rows, value);
  }
  /// Whether each of these queries sees all of these keys. Their ranges move on with the query at both ends.
  bool all_seen(Index t, Index count, Index key, Index keys) const {
    return first[t + count - 1] <= key && key + keys <= earlier + t + 1;
  }
  /// Whether n columns are numbers, none infinite.
  bool finite(const S* columns, Index stride, Index n) const {
    Packet<S, 2> zeros(S(0));
    for (Index j = 0; j < n; ++j)
      for_lanes<S, 2>(size,
                      [&](auto lanes) { zeros = fma(lanes.load(columns + j * stride), Packet<S, 2>(S(0)), zeros); });
    return zeros.sum() == S(0);
  }

  /// sums (padded(E), n) += columns (padded(E), keys) tile (keys, n), each query over the keys that it sees. What a
  /// tile holds of the others is 0; but 0 times what is no number is none, so where a key is not finite they are left
  /// out. `numbers`: the columns of all tiles are known to be finite.
  void add_seen_keys(const S* columns, bool numbers, Index t, Index n, Index key, Index keys, const S* tile,
                     S* sums) const {
    if (numbers || all_seen(t, n, key, keys) || finite(columns, padded(size), keys))
      return add_product(columns, keys, tile, n, sums);
    for (Index j = 0; j < n; ++j) {
      const auto [from, to] = seen(t + j, key, keys);
      add_product(columns + from * padded(size), to - from, tile + j * kKeys + from, 1, sums + j * padded(size));
    }
  }
  /// sums (E, keys) += columns (E, n) tile (keys, n)^T, each key over the queries that see it, likewise.
  void add_seen_queries(const S* columns, bool numbers, Index stride, Index t, Index n, Index key, Index keys,
                        const S* tile, S* sums, S* packed) const {
    if (numbers || all_seen(t, n, key, keys) || finite(columns, stride, n))
      return add_outer_product<S>({columns, size, n, stride}, {tile, keys, n, kKeys}, {sums, size, keys}, packed);
    for (Index i = 0; i < keys; ++i) {
      const Index from = std::max<Index>(0, key + i - earlier - t);
      Index to = 0;
      while (to < n && first[t + to] <= key + i) ++to;
      if (from < to)
        add_outer_product<S>({columns + from * stride, size, to - from, stride},
                             {tile + from * kKeys + i, 1, to - from, kKeys}, {sums + i * size, size, 1}, packed);
    }
  }

  /// sums (padded(E), n) += columns (padded(E), keys) tile (keys, n).
  void add_product(const S* columns, Index keys, const S* tile, Index n, S* sums) const {
    for (Index e = 0; e < padded(size); e += kPanel)
      Kernel::panel(keys, n, columns + e, padded(size), tile, 1, kKeys, sums + e, padded(size), sums + e, padded(size));
  }
};

}  // namespace minrnn::detail
