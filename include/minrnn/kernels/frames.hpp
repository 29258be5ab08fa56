// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// The frames of one or two sequences of the same shape as columns n = b T + t. Where the sequences are contiguous, or
/// of one step, a block of columns may reach across sequences.
class Frames {
 public:
  /// Cut into at most `most` tiles of at least 64 frames.
  template <class View, class... Views>
  explicit Frames(Index most, const View& view, const Views&... views)
      : time_(view.time()),
        count_(view.time() * view.batch()),
        size_(std::max<Index>(64, (count_ + most - 1) / most)),
        joined_(joins(view) && (joins(views) && ...)) {}

  Index count() const { return count_; }
  Index tiles() const { return (count_ + size_ - 1) / size_; }

  /// Calls body(n, frames) for the blocks of a tile, each at most `block` frames.
  template <class Body>
  void for_blocks(Index tile, Index block, Body&& body) const {
    const Index last = std::min<Index>(count_, (tile + 1) * size_);
    for (Index n = tile * size_; n < last;) {
      Index frames = std::min<Index>(block, last - n);
      if (!joined_) frames = std::min<Index>(frames, time_ - n % time_);
      body(n, frames);
      n += frames;
    }
  }

  /// Calls body(n) for the frames of a tile.
  template <class Body>
  void for_each(Index tile, Body&& body) const {
    const Index last = std::min<Index>(count_, (tile + 1) * size_);
    for (Index n = tile * size_; n < last; ++n) body(n);
  }

  template <class S>
  static S* column(SequenceView<S> view, Index n) {
    return view.column(n % view.time(), n / view.time());
  }
  template <class S>
  static Index stride(SequenceView<S> view) {
    return view.time() == 1 ? view.batch_stride() : view.features();
  }

 private:
  template <class View>
  static bool joins(const View& view) {
    return view.contiguous() || view.time() == 1;
  }
  Index time_, count_, size_;
  bool joined_;
};

/// Calls body(lanes, t, b) for the packets of features of every frame of a sequence.
template <class S, class View, class Body>
void for_packets(const Context& context, const View& view, Body&& body) {
  const Frames frames(32, view);
  parallel_for(context, frames.tiles(), [&](Index tile, Index) {
    frames.for_each(tile, [&](Index n) {
      const Index t = n % view.time(), b = n / view.time();
      for_lanes<S, kInterleaved>(view.features(), [&](auto lanes) { body(lanes, t, b); });
    });
  });
}

}  // namespace minrnn::detail
