// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/tiles.hpp"

/// The division of attention among threads.
namespace minrnn::detail {

/// One of `count` parts of a head: the queries whose results it finds, or the keys.
struct HeadPart {
  Index index = 0, count = 1;

  bool is_last() const { return index + 1 == count; }

  struct Range {
    Index first, last;  // [first, last)
  };
  /// Its share of n columns, in whole blocks.
  Range of(Index n, Index block) const {
    const Index blocks = (n + block - 1) / block;
    return {index * blocks / count * block, std::min<Index>(n, (index + 1) * blocks / count * block)};
  }
};

/// The heads of all sequences, and where these are few their parts.
///
/// Each part of the keys gives a dq of these keys alone, and these are added up, the last part first. How many there
/// are is decided by the shape, so that the bits do not depend on the threads: at most 16, as each costs one more pass
/// over dq. Whether a tile is a head or a part of one is a question of speed, which the number of threads decides.
class HeadTiles {
 public:
  HeadTiles(Index heads, Index time, Index workers)
      : heads_(time > 0 ? heads : 0),
        parts_(std::clamp<Index>(Tiles::kEnough / std::max<Index>(heads, 1), 1,
                                 std::clamp<Index>(time / kFrames, 1, kMost))),
        workers_(workers) {}

  Index heads() const { return heads_; }
  Index parts() const { return parts_; }
  /// Whether a tile is one part of a head.
  bool divided() const { return parts_ > 1 && heads_ < workers_; }
  Index count() const { return divided() ? heads_ * parts_ : heads_; }
  Index head(Index tile) const { return tile / parts_; }
  HeadPart part(Index tile) const { return {tile % parts_, parts_}; }

  /// Where stands what all parts of a head share: in a place of each worker, or of each head that is divided.
  Index places() const { return divided() ? heads_ : workers_; }
  /// And what a part has for itself: in one of each part, or of each worker, which has them in turn.
  Index own_places() const { return parts_ == 1 ? 0 : divided() ? count() : workers_; }

 private:
  static constexpr Index kFrames = 128, kMost = 16;

  Index heads_, parts_, workers_;
};

}  // namespace minrnn::detail
