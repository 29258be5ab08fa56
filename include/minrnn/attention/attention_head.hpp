// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

#include "minrnn/attention/head_parts.hpp"
#include "minrnn/attention/score_unit.hpp"
#include "minrnn/attention/seen_keys.hpp"
#include "minrnn/attention/tile_products.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/math/activation.hpp"

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
///                                      from what forward kept of each query: its largest score and the share of that
///
/// Shapes      q (E, T), scaled already and divided by its unit; k, v (E, earlier + T): those from before the first
///             query, then one for each query; o (E, T)
/// Source      Dao et al. 2022, "FlashAttention"; Milakov and Gimelshein 2018, "Online normalizer calculation for
///             softmax"
template <class S>
class AttentionHead {
  using P = Packet<S>;
  static constexpr Index kQueries = 48, kKeys = 64;
  static constexpr S kTame = S(0x1p20);  // the magnitude of numbers beside which a rounding is nothing
  static_assert(kKeys % ProductKernel<S>::kPanel == 0);

 public:
  /// What is known of the softmax of each query, (T) each. The share of the largest score is its probability, 1 over
  /// the sum of exponentials. It is not kept as one logarithm of both: a large score would round the sum away.
  struct Softmax {
    S *unit, *largest, *share;
  };

  Columns<const S> q, k, v;  // `padded(E)` scalars apart, zeros between
  SeenKeys<S> seen;
  Softmax softmax;           // backward takes what forward leaves in it; the units are there before
  S most_q, most_k, most_v;  // `largest_if_finite` of q before it was divided, k, v

  /// Scalars of scratch that either direction needs.
  static Index scratch_size(Index size) {
    return padded<S>(size) * kQueries + 2 * kKeys * (kQueries + size) + kOuterScratch<S>;
  }

  /// Finds o, and the largest score and its share, of the queries of a part. k_rows: all of k.
  void forward(HeadPart queries, const TransposedColumns<S>& k_rows, S* scratch, Columns<S> o) const {
    const Columns<S> p = take(scratch, kKeys, kQueries), sums = take(scratch, padded<S>(size()), kQueries);
    const HeadPart::Range of_part = queries.of(q.count, kQueries);
    for (Index t = of_part.first; t < of_part.last; t += kQueries) {
      const Index count = std::min<Index>(kQueries, q.count - t), end = seen.earlier + t + count;
      S total[kQueries] = {};  // of the exponentials
      std::fill_n(softmax.largest + t, count, std::numeric_limits<S>::lowest());
      std::fill_n(sums.data, sums.rows * count, S(0));
      for (Index key = seen.first[t] / kKeys * kKeys; key < end; key += kKeys) {
        const ScoreTile tile{t, count, key, std::min<Index>(kKeys, end - key)};
        k_rows.multiply(key, tile.keys, q.block(t, count), p);  // s = K^T q, in the place of p
        weigh(tile, p, total, sums);                            // p = exp(s - largest)
        seen.add_keys(tile, v, most_v > S(0), p, sums);         // sums += V p
      }
      for (Index j = 0; j < count; ++j) {
        const S share = softmax.share[t + j] = S(1) / total[j];
        const Row<const S> sum = sums[j];
        const Row<S> o_t = o[t + j];
        for_lanes<S>(size(), [&](auto i) { o_t[i] = sum[i] * share; });
      }
    }
  }

  /// What backward is given.
  struct Adjoint {
    Columns<const S> d_o;  // (E, T)
    S* along;              // (T) <do, o>, by `project`
    bool is_tame;          // as `project` says
  };

  /// dk and dv of the keys of a part, the last one first, by write_key(key, dk, dv) with rows of E scalars, which may
  /// be changed; and dq (padded(E), T) of these keys alone, of the queries that `queries_of` says. k_rows, v_rows: all
  /// of k and v.
  template <class WriteKey>
  void backward(HeadPart keys_of_part, const TransposedColumns<S>& k_rows, const TransposedColumns<S>& v_rows,
                const Adjoint& adjoint, S* scratch, Columns<S> dq, WriteKey&& write_key) const {
    const Columns<S> p = take(scratch, kKeys, kQueries), ds = take(scratch, kKeys, kQueries);
    const Columns<S> dk = take(scratch, size(), kKeys), dv = take(scratch, size(), kKeys);
    S* packed = take(scratch, kOuterScratch<S>).data;
    const HeadPart::Range part = keys_of_part.of(k.count, kKeys), seeing = queries_of(keys_of_part);
    std::fill_n(dq[seeing.first].data, dq.rows * (seeing.last - seeing.first), S(0));
    for (Index key = (part.last + kKeys - 1) / kKeys * kKeys; (key -= kKeys) >= part.first;) {
      const Index keys = std::min<Index>(kKeys, k.count - key);
      for (const Columns<S>& sum : {dk, dv}) std::fill_n(sum.data, size() * keys, S(0));
      for (Index t = first_query(key); t < q.count && seen.first[t] < key + kKeys; t += kQueries) {
        const ScoreTile tile = tile_of(t, key, keys);
        k_rows.multiply(key, tile.keys, q.block(t, tile.queries), p);             // s = K^T q, where p will be
        v_rows.multiply(key, tile.keys, adjoint.d_o.block(t, tile.queries), ds);  // dp = V^T do, where ds will
        differentiate(tile, adjoint.along, p, ds);                                // p, ds = p (dp - <do, o>)
        seen.add_queries(tile, adjoint.d_o, adjoint.is_tame, p, dv, packed);      // dV += do p^T
        seen.add_keys(tile, k, most_k > S(0), ds, dq.block(t, tile.queries));     // dq += K ds
        multiply_by_units(tile, ds);                                              // as q is divided by them
        seen.add_queries(tile, q, most_q > S(0), ds, dk, packed);                 // dK += q ds^T
      }
      for (Index i = keys; i-- > 0;) write_key(key + i, dk[i], dv[i]);
    }
  }

  /// The queries that see a key of a part, in whole blocks of queries.
  HeadPart::Range queries_of(HeadPart keys_of_part) const {
    const HeadPart::Range keys = keys_of_part.of(k.count, kKeys);
    const Index first = std::min<Index>(first_query(keys.first), q.count);
    Index last = first;
    while (last < q.count && seen.first[last] < keys.last) last += kQueries;
    return {first, std::min<Index>(last, q.count)};
  }

  /// along = <do, o> for each query. Returns whether all of d_o is known to be finite.
  ///
  /// Where a query sees one key alone, or the others vanish beside it, o is the value of that key, and dp - <do, o> is
  /// 0: to the bit only if both are summed up in the same order. Beside large numbers a rounding is far from 0, so
  /// these take the order of the kernel that gives dp; others take packets, which are faster.
  bool project(Columns<const S> o, Columns<const S> d_o, S* along) const {
    const bool all_tame = most_q > S(0) && most_q < kTame && most_k > S(0) && most_k < kTame;
    bool all_small = true;
    for (Index t = 0; t < q.count; ++t) {
      const Row<const S> o_t = o[t], d_o_t = d_o[t];
      P sum(S(0)), magnitudes(S(0));
      for_lanes<S>(size(), [&](auto i) {
        const P left = o_t[i], right = d_o_t[i];
        sum = fma(left, right, sum);
        magnitudes = fma(absolute(left), absolute(right), magnitudes);
      });
      const bool is_small = magnitudes.sum() < kTame;
      all_small &= is_small;
      along[t] = is_small && (all_tame || tame(t)) ? sum.sum() : ordered_inner_product(o_t, d_o_t);
    }
    return all_small;
  }

 private:
  Index size() const { return q.rows; }

  /// The next (rows, count) scalars of scratch.
  static Columns<S> take(S*& scratch, Index rows, Index count = 1) {
    return {std::exchange(scratch, scratch + rows * count), rows, count};
  }

  /// Calls body(i) for the packets of n scalars, up to the end of a panel.
  template <class Body>
  MINRNN_INLINE static void for_panels(Index n, Body&& body) {
    for (Index i = 0; i < padded<S>(n); i += P::size) body(FullLanes<S>{i});
  }

  /// From s to p = exp(s - largest), 0 where a key is not seen, and total += sum p. Totals and sums up to here are in
  /// proportion to the largest score up to here: where there is a larger one, they are scaled down.
  void weigh(const ScoreTile& tile, Columns<S> p, S* total, Columns<S> sums) const {
    for (Index j = 0; j < tile.queries; ++j) {
      const Row<const S> s_j = p[j];
      const Row<S> p_j = p[j], sum_j = sums[j];
      seen.fill_unseen(j, tile, -std::numeric_limits<S>::infinity(), p_j);
      const P unit(softmax.unit[tile.query + j]), before(softmax.largest[tile.query + j]);
      P most = before;
      for_panels(tile.keys, [&](auto i) { most = maximum(most, s_j[i]); });
      const P largest(softmax.largest[tile.query + j] = most.largest());
      if (largest.first() != before.first()) {
        const P factor = exp((before - largest) * unit);
        total[j] *= factor.first();
        for_panels(size(), [&](auto i) { sum_j[i] = sum_j[i] * factor; });
      }
      P sum(S(0));
      for_panels(tile.keys, [&](auto i) {
        const P p_i = exp((s_j[i] - largest) * unit);
        p_j[i] = p_i;
        sum = sum + p_i;
      });
      total[j] += sum.sum();
    }
  }

  /// The first query of the first block of queries that sees a key of the block that begins with `key`.
  Index first_query(Index key) const { return std::max<Index>(0, key - seen.earlier) / kQueries * kQueries; }

  /// The tile of queries from t on and of those keys that do not lie ahead of all of them.
  ScoreTile tile_of(Index t, Index key, Index keys) const {
    const Index queries = std::min<Index>(kQueries, q.count - t);
    return {t, queries, key, std::min<Index>(keys, seen.earlier + t + queries - key)};
  }

  /// From s and dp to p = exp(s - largest) share and ds = p (dp - <do, o>), with what is not seen 0.
  void differentiate(const ScoreTile& tile, const S* along, Columns<S> p, Columns<S> ds) const {
    const bool all_seen = seen.all(tile);
    for (Index j = 0; j < tile.queries; ++j) {
      const Index t = tile.query + j;
      const Row<const S> s_j = p[j], dp_j = ds[j];
      const Row<S> p_j = p[j], ds_j = ds[j];
      const P largest(softmax.largest[t]), share(softmax.share[t]), unit(softmax.unit[t]), along_t(along[t]);
      for_panels(tile.keys, [&](auto i) {
        const P p_i = exp((s_j[i] - largest) * unit) * share, dp_i = dp_j[i];
        p_j[i] = p_i;
        ds_j[i] = p_i * (dp_i - along_t);
      });
      if (all_seen) continue;
      seen.fill_unseen(j, tile, S(0), p_j);
      seen.fill_unseen(j, tile, S(0), ds_j);
    }
  }

  void multiply_by_units(const ScoreTile& tile, Columns<S> ds) const {
    for (Index j = 0; j < tile.queries; ++j)
      if (const S unit = softmax.unit[tile.query + j]; unit != S(1))
        for (Index i = 0; i < tile.keys; ++i) ds[j].data[i] *= unit;
  }

  /// Whether a query and all the keys that it sees are below kTame; no other key is asked.
  bool tame(Index t) const {
    bool is = largest_if_finite(size(), q[t]) < kTame;
    for (Index key = seen.first[t]; is && key <= seen.earlier + t; ++key)
      is = largest_if_finite(size(), k[key]) < kTame;
    return is;
  }
  S ordered_inner_product(Row<const S> x, Row<const S> y) const {
    P sum(S(0));
    for (Index e = 0; e < size(); ++e) sum = fma(P(x.data[e]), P(y.data[e]), sum);
    return sum.first();
  }
};

}  // namespace minrnn::detail
