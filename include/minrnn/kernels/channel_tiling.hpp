// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn::detail {

/// The division of a selective scan among threads. A tile is some sequences, or one group of channels of one sequence
/// where sequences are few. Sums over channels are taken group by group, so they have the same bits either way.
class ChannelTiling {
 public:
  static constexpr Index kGroup = 64;

  /// Channels [first, first + count) of one sequence. Groups of a sequence are numbered from 0.
  struct Group {
    Index sequence, number, first, count;

    /// The rows of these channels, out of columns of all channels.
    template <class T>
    Columns<T> of(Columns<T> all) const {
      return all.features(first, count);
    }
    /// The same at some steps of their sequence.
    template <class T>
    Columns<T> of(SequenceView<T> all, Index first_step, Index steps) const {
      return of(all.columns(first_step, steps, sequence));
    }
  };

  ChannelTiling(Index channels, Index time, Index batch, Index most)
      : channels_(channels),
        batch_(batch),
        divided_(batch < kFewSequences && channels > kGroup && channels * time * batch >= kLeastWork),
        sequences_(channels * time * batch < kLeastWork ? std::max<Index>(batch, 1)
                                                        : std::max<Index>((batch + most - 1) / most, 1)) {}

  /// Whether a tile is one group of channels.
  bool divided() const { return divided_; }
  Index groups() const { return (channels_ + kGroup - 1) / kGroup; }
  Index count() const { return divided_ ? batch_ * groups() : (batch_ + sequences_ - 1) / sequences_; }

  /// Calls body(group) for each group of each sequence of a tile.
  template <class Body>
  void for_groups(Index tile, Body&& body) const {
    if (divided_) return body(group(tile / groups(), tile % groups()));
    for (Index b = tile * sequences_; b < std::min<Index>(batch_, (tile + 1) * sequences_); ++b)
      for (Index number = 0; number < groups(); ++number) body(group(b, number));
  }

 private:
  static constexpr Index kFewSequences = 8, kLeastWork = 4096;

  Group group(Index sequence, Index number) const {
    return {sequence, number, number * kGroup, std::min<Index>(kGroup, channels_ - number * kGroup)};
  }

  Index channels_, batch_;
  bool divided_;
  Index sequences_;
};

}  // namespace minrnn::detail
