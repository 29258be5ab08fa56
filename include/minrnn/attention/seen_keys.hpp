// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "minrnn/attention/score_unit.hpp"
#include "minrnn/attention/tile_products.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/product.hpp"

namespace minrnn::detail {

/// A part of the matrix of scores: queries [query, query + queries) over keys [key, key + keys).
struct ScoreTile {
  Index query, queries, key, keys;
};

/// Which keys each query sees: query t sees [first[t], earlier + t], of which the last is its own. Both ends move on
/// with t.
///
/// The weights of a tile are 0 where a key is not seen, so its products are those of all columns. But 0 times what is
/// no number is none: where a column is not finite, each sum goes over what is seen alone. Nothing of a frame ahead, or
/// beyond a start, then reaches a result, whatever that frame holds.
template <class S>
struct SeenKeys {
  const std::int32_t* first;  // (T)
  Index earlier;              // keys before that of the first query

  /// The rows [from, to) of a tile, were it `rows` keys high, that its query j sees.
  std::pair<Index, Index> keys_of(Index j, const ScoreTile& tile, Index rows) const {
    const Index query = tile.query + j, from = std::clamp<Index>(first[query] - tile.key, 0, rows);
    return {from, std::clamp<Index>(earlier + query + 1 - tile.key, from, rows)};
  }
  /// The queries [from, to) of a tile that see its key i.
  std::pair<Index, Index> queries_of(Index i, const ScoreTile& tile) const {
    const Index key = tile.key + i, from = std::max<Index>(0, key - earlier - tile.query);
    Index to = from;
    while (to < tile.queries && first[tile.query + to] <= key) ++to;
    return {from, to};
  }
  /// Whether each query of a tile sees all of its keys.
  bool all(const ScoreTile& tile) const {
    return first[tile.query + tile.queries - 1] <= tile.key && tile.key + tile.keys <= earlier + tile.query + 1;
  }

  /// Sets what is not seen in column j of a tile, up to the end of a panel.
  void fill_unseen(Index j, const ScoreTile& tile, S value, Row<S> column) const {
    const Index rows = padded<S>(tile.keys);
    const auto [from, to] = keys_of(j, tile, rows);
    std::fill_n(column.data, from, value);
    std::fill_n(column.data + to, rows - to, value);
  }

  /// sums (padded(E), queries) += X W for the keys of a tile, columns of X (padded(E), keys in all), and their weights
  /// W (keys, queries). `finite`: all of X is known to be.
  void add_keys(const ScoreTile& tile, Columns<const S> x, bool finite, Columns<const S> weights,
                Columns<S> sums) const {
    const Columns<const S> x_n = x.block(tile.key, tile.keys);
    if (finite || all(tile) || all_finite(x_n)) return add_product(x_n, weights.block(0, tile.queries), sums);
    for (Index j = 0; j < tile.queries; ++j) {
      const auto [from, to] = keys_of(j, tile, tile.keys);
      add_product(x_n.block(from, to - from), weights.features(from, to - from).block(j, 1), sums.block(j, 1));
    }
  }
  /// sums (E, keys) += X W^T for the queries of a tile, columns of X (E, T). packed: kOuterScratch scalars.
  void add_queries(const ScoreTile& tile, Columns<const S> x, bool finite, Columns<const S> weights, Columns<S> sums,
                   S* packed) const {
    const Columns<const S> x_n = x.block(tile.query, tile.queries);
    const Columns<const S> w = weights.features(0, tile.keys).block(0, tile.queries);
    if (finite || all(tile) || all_finite(x_n)) return add_outer_product(x_n, w, sums.block(0, tile.keys), packed);
    for (Index i = 0; i < tile.keys; ++i) {
      const auto [from, to] = queries_of(i, tile);
      if (from < to)
        add_outer_product(x_n.block(from, to - from), w.features(i, 1).block(from, to - from), sums.block(i, 1),
                          packed);
    }
  }
};

}  // namespace minrnn::detail
