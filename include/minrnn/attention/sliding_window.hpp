// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"

namespace minrnn::detail {

/// Which frames attention sees, and where a ring keeps them: a frame sees the last `frames` frames since the last
/// start, itself included.
///
/// Position    The position of a frame says how many frames came before it since the last start. A stream has no end,
///             so a position that would reach period + ring goes back by one period. Nothing depends on that: by then
///             the window is full, rotary angles repeat after a period, and the period is a multiple of the ring, so
///             the place in the ring stays the same.
/// Ring        It has room for `frames` rounded up to a power of two. The frame of position p stands at place p modulo
///             that, where it takes over from a frame that nothing sees any more.
class SlidingWindow {
 public:
  SlidingWindow(Index frames, Index period)
      : frames_(frames),
        ring_(static_cast<Index>(std::bit_ceil(static_cast<std::uint64_t>(frames)))),
        period_(period) {}

  Index frames() const { return frames_; }
  Index ring() const { return ring_; }
  /// The position modulo the ring, a power of two.
  Index place(Index position) const { return position & (ring_ - 1); }
  Index next(Index position) const { return position < last() ? position + 1 : position + 1 - period_; }
  /// How many frames before the one of this position are seen from it.
  Index before(Index position) const { return std::min<Index>(position, frames_ - 1); }
  /// The position that a state holds, whatever else stands there.
  template <class S>
  Index position_of(S held) const {
    return held > S(0)
               ? static_cast<Index>(std::min<double>(std::floor(static_cast<double>(held) + 0.5), double(last())))
               : 0;
  }

  /// The frames (T, B) of one call. What they see are keys: first the `earlier` frames of before, then themselves.
  class Frames {
   public:
    struct Entry {     // of one sequence
      Index position;  // of its first frame, were that no start
      Index earlier;   // how many of the earlier keys are its own
      Index started;   // the last frame at which a segment starts, or -1
      Index kept;      // the first frame that stands in the ring after the call
    };

    /// x (F, T, B) for its starts; positions (1, B) before it, as a state holds them.
    template <class S>
    void fill(const SlidingWindow& window, SequenceView<const S> x, FrameView<const S> positions) {
      entries_.clear();
      entries_.reserve(static_cast<std::size_t>(x.batch()));
      earlier_ = 0;
      for (Index b = 0; b < x.batch(); ++b) {
        const Index position = window.position_of(*positions.column(b));
        entries_.push_back({position, window.before(position), -1, 0});
        earlier_ = std::max<Index>(earlier_, entry(b).earlier);
      }
      positions_.resize(x.time(), 1, x.batch());
      first_keys_.resize(x.time(), 1, x.batch());
      least_ = window.last();
      for (Index b = 0; b < x.batch(); ++b) count(window, x, b);
    }

    Index time() const { return positions_.features(); }
    Index batch() const { return positions_.batch(); }
    Index earlier() const { return earlier_; }
    Index least_position() const { return least_; }
    const Entry& entry(Index b) const { return entries_[static_cast<std::size_t>(b)]; }
    /// (T) of sequence b.
    const std::int32_t* positions(Index b) const { return positions_.view().column(0, b); }
    /// (T) the first key that each frame of sequence b sees, which never lies before that of the frame before; the last
    /// is its own.
    const std::int32_t* first_keys(Index b) const { return first_keys_.view().column(0, b); }

   private:
    /// From frame to frame of sequence b.
    template <class S>
    void count(const SlidingWindow& window, SequenceView<const S> x, Index b) {
      Entry& entry = entries_[static_cast<std::size_t>(b)];
      std::int32_t *positions = positions_.view().column(0, b), *first_keys = first_keys_.view().column(0, b);
      const auto narrow = [](auto number) { return static_cast<std::int32_t>(number); };  // an Index may be one
      Index position = entry.position;
      for (Index t = 0; t < x.time(); ++t, position = window.next(position)) {
        if (x.starts(t, b)) {
          position = 0;
          entry.started = t;
        }
        positions[t] = narrow(position);
        first_keys[t] = narrow(earlier_ + t - window.before(position));
        least_ = std::min<Index>(least_, position);
      }
      entry.kept = std::max<Index>({0, entry.started, x.time() - window.ring()});
    }

    Index earlier_ = 0, least_ = 0;
    std::vector<Entry> entries_;                     // (B)
    Sequence<std::int32_t> positions_, first_keys_;  // (T, 1, B)
  };

 private:
  Index last() const { return period_ + ring_ - 1; }

  Index frames_, ring_, period_;
};

}  // namespace minrnn::detail
