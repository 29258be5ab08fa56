// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// Sums of N gradients that many threads work on: a block of them for each tile, added up in the order of the tiles, so
/// that the bits do not depend on how many threads there are. A thread alone takes the tiles in their order: there one
/// block, which stays near, serves them all, and is added before the next tile begins. Where the pointer to a gradient
/// is null, there is no sum of it. For one call, in memory of the cache:
///
///     GradientSums sums(cache.sums_, tiles, context, w_.grad, b_.grad);
///     parallel_for(context, tiles, [&](Index tile, Index) {
///       const auto [dw, db] = sums.start(tile);
///       ...
///     });
///     sums.add();
template <class S, std::size_t N>
class GradientSums {
 public:
  using Gradients = std::array<Matrix<S>*, N>;

  template <class... M>
  GradientSums(Sequence<S>& memory, Index tiles, const Context& context, Matrix<S>& first, M&... rest)
      : GradientSums(memory, tiles, context, Gradients{&first, &rest...}) {}
  /// `is_shared`: some tiles have parts of one block, so that each block stays to the end even on one thread.
  GradientSums(Sequence<S>& memory, Index tiles, const Context& context, const Gradients& gradients,
               bool is_shared = false)
      : gradients_(gradients), context_(context), one_block_(context.executor == nullptr && !is_shared) {
    Index size = 0;
    for (const Matrix<S>* gradient : gradients) size += gradient ? gradient->size() : 0;
    sums_ = memory.resize(size, 1, one_block_ ? std::min<Index>(tiles, 1) : tiles);
  }

  /// The sums of a tile, set to zero: what every tile does first, when they are in the cache of its worker.
  /// (Inlined, it would take registers from the loops of its callers.)
  MINRNN_NOINLINE std::array<Columns<S>, N> start(Index tile) const {
    if (one_block_ && tile > 0) add();
    std::fill_n(sums_.column(0, block(tile)), sums_.features(), S(0));
    return of(tile);
  }
  /// The sums of a tile that it has begun, each of the shape of its gradient.
  std::array<Columns<S>, N> of(Index tile) const {
    std::array<Columns<S>, N> sums;
    S* next = sums_.column(0, block(tile));
    for (std::size_t i = 0; i < N; ++i) {
      if (gradients_[i] == nullptr) continue;
      sums[i] = Columns<S>(next, gradients_[i]->rows(), gradients_[i]->cols());
      next += gradients_[i]->size();
    }
    return sums;
  }

  /// Adds the sums of all tiles to the gradients, or of all that are not added yet.
  void add() const {
    Index offset = 0;
    for (Matrix<S>* gradient : gradients_) {
      if (gradient == nullptr) continue;
      add_to(*gradient, offset);
      offset += gradient->size();
    }
  }

 private:
  Index block(Index tile) const { return one_block_ ? 0 : tile; }

  static constexpr double kOfAScalar = 8;  // the multiply-adds that take as long as a scalar to be read or written

  MINRNN_NOINLINE void add_to(Matrix<S>& gradient, Index offset) const {
    constexpr Index kChunk = 4096;  // scalars, which stay in L1 while the tiles pass by
    const double work = kOfAScalar * static_cast<double>(gradient.size() * sums_.batch());
    parallel_for(context_, (gradient.size() + kChunk - 1) / kChunk, work, [&](Index chunk, Index) {
      const Index first = chunk * kChunk, count = std::min<Index>(kChunk, gradient.size() - first);
      S* out = gradient.data() + first;
      for (Index block = 0; block < sums_.batch(); ++block) {
        const S* part = sums_.column(0, block) + offset + first;
        for (Index i = 0; i < count; ++i) out[i] += part[i];
      }
    });
  }

  Gradients gradients_;
  Context context_;
  bool one_block_;
  SequenceView<S> sums_;  // (sizes together, 1, blocks)
};

template <class S, class... M>
GradientSums(Sequence<S>&, Index, const Context&, Matrix<S>&, M&...) -> GradientSums<S, 1 + sizeof...(M)>;

}  // namespace minrnn
