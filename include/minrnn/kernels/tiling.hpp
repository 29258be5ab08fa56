// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "minrnn/core/types.hpp"

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

  /// For F features, T steps, B sequences; at most `most` tiles where each sequence stays whole, and one where there is
  /// so little to do that waking a thread takes longer. A second pass over time must be worth its while: a stretch
  /// holds about 2^15 values, and from 256 to 1024 steps.
  Tiling(Index features, Index time, Index batch, Index most = kMostTiles) : time_(time), batch_(batch) {
    const Index least = std::clamp<Index>((Index{1} << 15) / std::max<Index>(features, 1), 256, 1024);
    const Index parts = batch == 0 || batch >= kFewSequences
                            ? 1
                            : std::clamp<Index>(kTilesOfFew / batch, 1, std::max<Index>(time / least, 1));
    split((time + parts - 1) / parts, std::int64_t{features} * time * batch < kLeastWork ? 1 : most);
  }
  /// Stretches of `steps` steps, however many the sequences.
  static Tiling of_steps(Index steps, Index time, Index batch) {
    Tiling tiling(1, time, batch);
    tiling.split(steps, kMostTiles);
    return tiling;
  }
  /// How many tiles may each hold sums of this many scalars: fewer where the sums are large.
  static Index most_for_sums(Index size) {
    return std::clamp<Index>((Index{1} << 22) / std::max<Index>(size, 1), 8, kMostTiles);
  }

  /// Stretches of time of each sequence; 1 where sequences are many or short.
  Index parts() const { return parts_; }
  Index count() const { return (batch_ + sequences_ - 1) / sequences_ * parts_; }
  Tile operator[](Index tile) const {
    const Index group = tile / parts_, part = tile % parts_;
    return {group * sequences_, std::min<Index>(batch_, (group + 1) * sequences_), part * steps_,
            std::min<Index>(time_, (part + 1) * steps_)};
  }

 private:
  static constexpr Index kFewSequences = 8, kMostTiles = 32, kTilesOfFew = 16, kLeastWork = 4096;

  void split(Index steps, Index most) {
    steps_ = std::max<Index>(steps, 1);
    parts_ = std::max<Index>((time_ + steps_ - 1) / steps_, 1);
    sequences_ = parts_ == 1 ? std::max<Index>((batch_ + most - 1) / most, 1) : 1;
  }

  Index time_, batch_, steps_ = 1, parts_ = 1, sequences_ = 1;
};

}  // namespace minrnn
