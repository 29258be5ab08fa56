// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// Rotary positions: the pair (e, e + E/2) of a vector is turned by an angle that grows with the position, so that the
/// inner product of two vectors depends on the distance of their positions alone.
///
/// Equations   angle of pair e at position t: t base^(-2 e / E), the frequency rounded to whole turns in kTurn
///             positions, so that positions count modulo kTurn
///             turned by the angle:  x'_e = cos x_e - sin x_{e + E/2};  x'_{e + E/2} = sin x_e + cos x_{e + E/2}
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

  void turns_of(Index position, Row<S> turns) const {
    for (std::size_t e = 0; e < frequencies_.size(); ++e) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(frequencies_[e] * position % kTurn) / static_cast<double>(kTurn);
      turns.data[e] = static_cast<S>(std::cos(angle));
      turns.data[frequencies_.size() + e] = static_cast<S>(std::sin(angle));
    }
  }

  /// to = by times x, turned. `to` may be x.
  void rotate(Row<const S> x, Row<const S> turns, S by, Turn direction, Row<S> to) const {
    const Index half = static_cast<Index>(frequencies_.size());
    const Row<const S> x_high = x.from(half), sines = turns.from(half);
    const Row<S> to_high = to.from(half);
    const S by_sine = direction == Turn::forth ? by : -by;
    for_lanes<S>(half, [&](auto i) {
      const Packet<S> low = x[i], high = x_high[i], c = turns[i] * by, s = sines[i] * by_sine;
      to[i] = fma(c, low, -(s * high));
      to_high[i] = fma(s, low, c * high);
    });
  }

  /// The turns of consecutive positions, computed once for all heads and sequences.
  class Table {
   public:
    void fill(const Rotary& rotary, Index first, Index count, const Context& context) {
      first_ = first;
      const SequenceView<S> turns = turns_.resize(2 * static_cast<Index>(rotary.frequencies_.size()), count, 1);
      constexpr double kOfASine = 128;  // multiply-adds that take as long
      parallel_for(context, count, kOfASine * static_cast<double>(turns.size()),
                   [&](Index i, Index) { rotary.turns_of(first + i, turns.row(i, 0)); });
    }
    /// Of a position in the table, else computed into `scratch` (E).
    Row<const S> at(const Rotary& rotary, Index position, Row<S> scratch) const {
      const Index i = position - first_;
      if (i >= 0 && i < turns_.time()) return turns_.view().row(i, 0);
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
