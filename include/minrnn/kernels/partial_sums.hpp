// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"

namespace minrnn::detail {

/// One block of sums for each tile, added up in the order of the tiles: a gradient that many threads work on and whose
/// bits do not depend on how many.
template <class S>
class PartialSums {
 public:
  /// A block of `size` zeros for each tile.
  void reset(Index size, Index tiles, const Context& context) {
    sums_.resize(size, 1, tiles);
    parallel_for(context, tiles, [&](Index tile, Index) { std::fill_n(sums_.view().column(0, tile), size, S(0)); });
  }
  S* tile(Index tile) { return sums_.view().column(0, tile); }

  /// target += the sum over all tiles of the part of the block that begins at `offset`.
  void add_to(Index offset, Matrix<S>& target, const Context& context) const {
    constexpr Index kChunk = 4096;
    const SequenceView<const S> sums = sums_.view();
    parallel_for(context, (target.size() + kChunk - 1) / kChunk, [&](Index chunk, Index) {
      S* out = target.data() + chunk * kChunk;
      const Index count = std::min<Index>(kChunk, target.size() - chunk * kChunk);
      for (Index tile = 0; tile < sums.batch(); ++tile) {
        const S* part = sums.column(0, tile) + offset + chunk * kChunk;
        for (Index i = 0; i < count; ++i) out[i] += part[i];
      }
    });
  }

 private:
  Sequence<S> sums_;
};

}  // namespace minrnn::detail
