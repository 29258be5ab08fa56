// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/types.hpp"

namespace minrnn {

/// [0, count) in pieces of one size, of which the last may be shorter.
class Pieces {
 public:
  /// At most `most` pieces, whose size is a multiple of `step`.
  Pieces(Index count, Index most, Index step = 1)
      : count_(count), size_(std::max<Index>(((count + most - 1) / most + step - 1) / step, 1) * step) {}

  Index count() const { return (count_ + size_ - 1) / size_; }
  Index first(Index piece) const { return piece * size_; }
  Index last(Index piece) const { return std::min<Index>(count_, (piece + 1) * size_); }

 private:
  Index count_, size_;
};

/// What a call does for each of its frames, or of whatever else it is cut by.
struct FrameCost {
  double work = 0;  // multiply-adds, or what takes as long: 8 for a scalar read and written, 24 for an exponential
  Index sums = 0;   // scalars of gradients, of which each tile has sums of its own
};

/// How many tiles a call is cut into. The numbers that say so stand here: `Tiling`, `Frames`, `ChannelTiling` and
/// others say what a tile is. (`Groups` alone has a count of its own, and gives the reason.)
///
/// They follow from the shape alone, never from the number of threads: sums are taken tile by tile, so the bits would
/// change with it. As the work grows, so do the tiles, until 64 workers are busy; a machine with two has to go through
/// all of them, so that each must be worth what it costs.
struct Tiles {
  /// Four for each of 64 workers: where they are not equally fast, the others take what one of them leaves.
  static constexpr Index kMost = 256;
  /// And where a tile has sums of its own, which cost time and memory: one for each of 64 workers.
  static constexpr Index kEnough = 64;
  /// The multiply-adds that a tile is worth: some microseconds. To claim it takes a tenth of one.
  static constexpr double kWork = 1 << 17;
  /// And for each scalar of its sums, which are set to zero and in the end read and added: 256 frames of a weight.
  static constexpr double kWorkOfASum = 512;

  /// As many as there may be, whatever the work.
  static Index most(FrameCost cost) { return cost.sums > 0 ? kEnough : kMost; }
  /// For so many frames; 1 where there is so little to do that waking a thread takes longer.
  static Index of(Index frames, FrameCost cost) {
    const double least = std::max<double>(kWork, kWorkOfASum * static_cast<double>(cost.sums));
    const double tiles = static_cast<double>(frames) * cost.work / least;
    return 1 + static_cast<Index>(std::min<double>(tiles, static_cast<double>(most(cost) - 1)));
  }
  /// Frames in pieces for each of so many parts of the gradient of a weight: two multiply-adds of a frame for each
  /// scalar, with those of dx, which are done before.
  static Pieces pieces_for(Index frames, Index parts) {
    const Index worth = static_cast<Index>(static_cast<double>(frames) * 2 / kWorkOfASum);
    return {frames, std::clamp<Index>(worth, 1, (kEnough + parts - 1) / parts)};
  }
};

}  // namespace minrnn
