// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// Rotary positions: the pair (e, e + E/2) of a vector is turned by an angle that grows with the position, so that the
/// inner product of two vectors depends on the distance of their positions alone.
///
/// Equations   angle of pair e at position t: t base^(-2 e / E), the frequency rounded to whole turns in kTurn
///             positions, so that positions count modulo kTurn
/// Shapes      vectors (E); turns (E): cos of each pair, then sin
/// Source      Su et al. 2021, "RoFormer: Enhanced transformer with rotary position embedding"
template <class S>
class Rotary {
 public:
  static constexpr Index kTurn = Index{1} << 20;
  enum class Turn { forth, back };

  Rotary(Index size, double base) {
    for (Index e = 0; e < size / 2; ++e) {
      const double turns = static_cast<double>(kTurn) / (2 * std::numbers::pi) *
                           std::pow(base, -2.0 * static_cast<double>(e) / static_cast<double>(size));
      frequencies_.push_back(std::max<std::int64_t>(std::llround(turns), 1));
    }
  }

  void turns_of(Index position, S* turns) const {
    for (std::size_t e = 0; e < frequencies_.size(); ++e) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(frequencies_[e] * position % kTurn) / static_cast<double>(kTurn);
      turns[e] = static_cast<S>(std::cos(angle));
      turns[frequencies_.size() + e] = static_cast<S>(std::sin(angle));
    }
  }

  /// to = by times `from`, turned. `to` may be `from`.
  void rotate(const S* from, const S* turns, S by, Turn direction, S* to) const {
    const Index half = static_cast<Index>(frequencies_.size());
    for_lanes<S>(half, [&](auto lanes) {
      const auto low = lanes.load(from), high = lanes.load(from + half);
      const auto c = lanes.load(turns) * by, s = lanes.load(turns + half) * (direction == Turn::forth ? by : -by);
      lanes.store(to, fma(c, low, -(s * high)));
      lanes.store(to + half, fma(s, low, c * high));
    });
  }

  /// The turns of consecutive positions, computed once for all heads and sequences.
  class Table {
   public:
    void fill(const Rotary& rotary, Index first, Index count, const Context& context) {
      first_ = first;
      const SequenceView<S> turns = turns_.resize(2 * static_cast<Index>(rotary.frequencies_.size()), count, 1);
      parallel_for(context, count, [&](Index i, Index) { rotary.turns_of(first + i, turns.column(i, 0)); });
    }
    /// Of a position in the table, else computed into `scratch` (E).
    const S* at(const Rotary& rotary, Index position, S* scratch) const {
      const Index i = position - first_;
      if (i >= 0 && i < turns_.time()) return turns_.view().column(i, 0);
      rotary.turns_of(position, scratch);
      return scratch;
    }

   private:
    Index first_ = 0;
    Sequence<S> turns_;  // (E, count)
  };

 private:
  std::vector<std::int64_t> frequencies_;  // (E / 2) turns in kTurn positions; their product with one needs 64 bits
};

}  // namespace minrnn::detail
