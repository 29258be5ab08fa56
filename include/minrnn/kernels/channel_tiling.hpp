// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn::detail {

/// The division of a selective scan among threads, or of another recurrence whose channels do not meet. A tile is some
/// sequences, or one group of channels of one sequence where sequences are few. Sums over channels are taken group by
/// group, so they have the same bits either way.
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

  /// Of T steps of B sequences, and what a step of one of them costs.
  ChannelTiling(Index channels, Index time, Index batch, FrameCost cost)
      : channels_(channels),
        batch_(batch),
        work_(static_cast<double>(time * batch) * cost.work),
        sequences_(batch, Tiles::of(time * batch, cost)),
        divided_(batch < Tiles::kEnough && channels > kGroup && Tiles::of(time * batch, cost) > batch) {}

  /// Whether a tile is one group of channels.
  bool divided() const { return divided_; }
  Index groups() const { return (channels_ + kGroup - 1) / kGroup; }
  Index count() const { return divided_ ? batch_ * groups() : sequences_.count(); }
  /// How many sums over steps of all channels there are: the groups of a sequence share one, where each has its rows.
  Index sums() const { return divided_ ? batch_ : count(); }
  /// The multiply-adds of all tiles.
  double work() const { return work_; }

  /// Calls body(group) for each group of each sequence of a tile.
  template <class Body>
  void for_groups(Index tile, Body&& body) const {
    if (divided_) return body(group(tile / groups(), tile % groups()));
    for (Index b = sequences_.first(tile); b < sequences_.last(tile); ++b)
      for (Index number = 0; number < groups(); ++number) body(group(b, number));
  }

 private:
  Group group(Index sequence, Index number) const {
    return {sequence, number, number * kGroup, std::min<Index>(kGroup, channels_ - number * kGroup)};
  }

  Index channels_, batch_;
  double work_;
  Pieces sequences_;
  bool divided_;
};

}  // namespace minrnn::detail
