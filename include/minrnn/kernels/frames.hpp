// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn::detail {

/// The frames of one or two sequences of the same shape as columns n = b T + t. Where the sequences are contiguous, or
/// of one step, a block of columns may reach across sequences.
class Frames {
 public:
  /// Cut into tiles of at least 64 frames, as products with fewer columns are slow.
  template <class View, class... Views>
  explicit Frames(FrameCost cost, const View& view, const Views&... views)
      : Frames(cost.work, Pieces(view.time() * view.batch(), Tiles::of(view.time() * view.batch(), cost), 64), view,
               views...) {}
  /// Cut into these pieces, where a frame takes so many multiply-adds.
  template <class View, class... Views>
  Frames(double work, Pieces pieces, const View& view, const Views&... views)
      : time_(view.time()),
        count_(view.time() * view.batch()),
        work_(static_cast<double>(count_) * work),
        pieces_(pieces),
        joined_(joins(view) && (joins(views) && ...)) {}

  Index count() const { return count_; }
  Index tiles() const { return pieces_.count(); }
  /// The multiply-adds of all frames.
  double work() const { return work_; }

  /// The blocks of a tile, one after the other: frames [n, n + count).
  struct Block {
    const Frames& frames;
    Index last, most, n, count = 0;

    bool next() {
      n += count;
      count = std::min<Index>(most, last - n);
      if (!frames.joined_) count = std::min<Index>(count, frames.time_ - n % frames.time_);
      return count > 0;
    }
  };
  /// For blocks of at most `most` frames: for (auto block = frames.blocks(tile, most); block.next();).
  Block blocks(Index tile, Index most) const { return {*this, pieces_.last(tile), most, pieces_.first(tile)}; }

  template <class S>
  static Columns<S> columns(SequenceView<S> view, const Block& block) {
    return {view.column(block.n % view.time(), block.n / view.time()), view.features(), block.count,
            view.time() == 1 ? view.batch_stride() : view.features()};
  }
  /// Calls body(n) for the frames of a tile.
  template <class Body>
  void for_each(Index tile, Body&& body) const {
    for (Index n = pieces_.first(tile); n < pieces_.last(tile); ++n) body(n);
  }
  template <class S>
  static Row<S> row(SequenceView<S> view, Index n) {
    return view.row(n % view.time(), n / view.time());
  }

 private:
  template <class View>
  static bool joins(const View& view) {
    return view.contiguous() || view.time() == 1;
  }
  Index time_, count_;
  double work_;
  Pieces pieces_;
  bool joined_;
};

/// Calls body(lanes, t, b) for the packets of features of every frame of a sequence.
template <class S, class View, class Body>
void for_packets(const Context& context, const View& view, Body&& body) {
  const Frames frames({16.0 * static_cast<double>(view.features())}, view);
  parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
    frames.for_each(tile, [&](Index n) {
      const Index t = n % view.time(), b = n / view.time();
      for_lanes<S, kInterleaved>(view.features(), [&](auto lanes) { body(lanes, t, b); });
    });
  });
}

}  // namespace minrnn::detail
