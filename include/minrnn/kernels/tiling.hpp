// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn {

/// The division of T steps of B sequences into tiles, by the shape alone: partial sums are combined tile by tile, so
/// results are the same bits on any number of threads. Many sequences: a tile is some whole sequences. Few: a tile is a
/// stretch of one sequence's time, and what carries over time is composed across the stretches.
class Tiling {
 public:
  struct Tile {
    Index first_sequence, last_sequence;  // [first, last)
    Index first_step, last_step;          // [first, last)
  };

  /// For F features, T steps, B sequences, and what a step of one of them costs.
  ///
  /// A second pass over time must be worth its while: a stretch holds about 2^15 values, and from 256 to 1024 steps.
  /// From 8 sequences on it would not be: as many tiles as sequences are all there are, however long these are.
  Tiling(Index features, Index time, Index batch, FrameCost cost) : Tiling(time, batch, cost) {
    const Index least = std::clamp<Index>((Index{1} << 15) / std::max<Index>(features, 1), 256, 1024);
    const Index parts = batch == 0 || batch >= kFewSequences
                            ? 1
                            : std::clamp<Index>(Tiles::most(cost) / batch, 1, std::max<Index>(time / least, 1));
    split((time + parts - 1) / parts);
  }
  /// Stretches of `steps` steps, however many the sequences.
  static Tiling of_steps(Index steps, Index time, Index batch, FrameCost cost) {
    Tiling tiling(time, batch, cost);
    tiling.split(steps);
    return tiling;
  }

  /// Stretches of time of each sequence; 1 where sequences are many or short.
  Index parts() const { return parts_; }
  Index count() const { return sequences_.count() * parts_; }
  /// The multiply-adds of all tiles.
  double work() const { return static_cast<double>(time_ * batch_) * cost_.work; }
  Tile operator[](Index tile) const {
    const Index group = tile / parts_, part = tile % parts_;
    return {sequences_.first(group), sequences_.last(group), part * steps_,
            std::min<Index>(time_, (part + 1) * steps_)};
  }
  /// Calls body(t, b) for the steps of a tile.
  template <class Body>
  void for_each(Index tile, Body&& body) const {
    const Tile of = (*this)[tile];
    for (Index b = of.first_sequence; b < of.last_sequence; ++b)
      for (Index t = of.first_step; t < of.last_step; ++t) body(t, b);
  }

 private:
  static constexpr Index kFewSequences = 8;

  Tiling(Index time, Index batch, FrameCost cost) : time_(time), batch_(batch), cost_(cost), sequences_(batch, 1) {}

  void split(Index steps) {
    steps_ = std::max<Index>(steps, 1);
    parts_ = std::max<Index>((time_ + steps_ - 1) / steps_, 1);
    sequences_ = Pieces(batch_, parts_ == 1 ? Tiles::of(time_ * batch_, cost_) : std::max<Index>(batch_, 1));
  }

  Index time_, batch_, steps_ = 1, parts_ = 1;
  FrameCost cost_;
  Pieces sequences_;
};

}  // namespace minrnn
