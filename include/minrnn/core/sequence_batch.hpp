// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/placement.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// A list of sequences: a range of views, Eigen matrices (F, T), or whatever else is one sequence of S.
template <class List, class S>
concept ListOfSequences = requires(List& list) {
  { *std::begin(list) } -> std::convertible_to<SequenceView<const S>>;
  { std::begin(list) != std::end(list) } -> std::convertible_to<bool>;
};

struct PackOptions {
  Index time = 0;         // frames of a row; 0, or fewer than the longest sequence has: as many as that
  bool in_order = false;  // the list stays in its order, from row to row; otherwise its longest come first
};

namespace detail {
/// Rows of equal room, filled by first fit: each sequence goes to the first row that has room for it. A tree of the
/// most room among some rows finds it in log(rows) steps.
class FirstFit {
 public:
  void begin(Index rows, Index time) {
    leaves_ = std::bit_ceil(static_cast<std::size_t>(rows));
    room_.assign(2 * leaves_, time);
    time_ = time;
  }
  Placement take(Index frames) {
    std::size_t i = 1;
    while (i < leaves_) i = 2 * i + (room_[2 * i] < frames ? 1 : 0);
    const Placement place{static_cast<Index>(i - leaves_), time_ - room_[i], frames};
    room_[i] -= frames;
    while ((i /= 2) > 0) room_[i] = std::max<Index>(room_[2 * i], room_[2 * i + 1]);
    return place;
  }

 private:
  std::size_t leaves_ = 1;
  Index time_ = 0;
  std::vector<Index> room_;  // [i]: the most of rows [2 i] and [2 i + 1]; from leaves_ on that of one row
};
}  // namespace detail

/// Sequences of unequal length as one block, made of a list in one call: packed behind each other in rows, or one to a
/// row and padded. What a layer or a model gives for a sequence is the same either way, and that of the sequence alone,
/// to the bit unless its time is divided among threads: each begins with a start, and so does the padding behind the
/// last of a row, so that no map sees what is not its own, causal or not. The frames of padding are zero and count
/// nowhere; a sequence may have starts within. Of tokens it is a SequenceBatch<std::int32_t>, padded with token 0.
///
/// Shapes      the list: N sequences (F, T_n, 1), copied;  x (F, T, B)
/// Throws      std::invalid_argument for an empty list, a sequence without frames, features that differ, more than one
///             sequence in a view, missing memory; the batch is as it was then
/// Source      packing: first fit by decreasing length, at most 11/9 of the fewest rows and one more (Dosa 2007)
template <class S>
class SequenceBatch {
 public:
  using Scalar = S;
  using View = SequenceView<const S>;

  /// Behind each other, in as few rows of `options.time` frames as first fit finds.
  template <ListOfSequences<S> List>
  void pack(List&& list, const PackOptions& options = {}) {
    detail::check_that(options.time >= 0, "SequenceBatch::pack", "time", "at least 0 frames", options.time);
    const Index time = std::max<Index>(options.time, take("SequenceBatch::pack", list));
    if (options.in_order)
      place_in_order(time);
    else
      place_longest_first(time);
    lay_out();
  }
  void pack(std::initializer_list<View> list, const PackOptions& options = {}) {
    pack(std::span<const View>(list.begin(), list.size()), options);
  }
  /// Sequence n in row n, with padding behind it up to the longest.
  template <ListOfSequences<S> List>
  void pad(List&& list) {
    take("SequenceBatch::pad", list);
    places_.clear();
    for (const View& sequence : list_) places_.push_back({static_cast<Index>(places_.size()), 0, sequence.time()});
    lay_out();
  }
  void pad(std::initializer_list<View> list) { pad(std::span<const View>(list.begin(), list.size())); }

  /// The block, with its starts; valid until the next `pack` or `pad`.
  View x() const { return x_.view().with_starts(starts_.data()); }
  /// (1, T, B): 1 where a frame is one of a sequence, 0 in the padding. `mean_square` takes it.
  SequenceView<const std::uint8_t> mask() const { return mask_.view(); }
  /// [n]: where sequence n of the list lies.
  std::span<const Placement> places() const { return places_; }
  /// The sequences of the list, N.
  Index size() const { return static_cast<Index>(places_.size()); }
  /// The frames of all sequences, without padding.
  Index frames() const { return frames_; }

  /// What belongs to the frames of a second list, as targets of each frame, laid out as x: (K, T_n, 1) to (K, T, B),
  /// with `padding` in the padding, for instance the -1 that a cross-entropy ignores. Throws std::invalid_argument
  /// where the list does not have N sequences of as many frames, or their features differ.
  template <class T, ListOfSequences<T> List>
  SequenceView<const T> arrange(List&& list, std::type_identity_t<T> padding, Sequence<T>& to) const {
    const char* where = "SequenceBatch::arrange";
    std::vector<SequenceView<const T>> views;
    for (auto&& sequence : list) views.emplace_back(std::forward<decltype(sequence)>(sequence));
    detail::check_that(views.size() == places_.size(), where, "list", {"of ", size(), " sequences"},
                       static_cast<Index>(views.size()));
    const Index features = views.empty() ? 0 : views[0].features();
    for (std::size_t n = 0; n < views.size(); ++n)
      detail::in_part(static_cast<Index>(n),
                      [&] { detail::check_sequence(where, "list", views[n], features, places_[n].frames, 1); });
    const SequenceView<T> block = to.resize(features, x_.time(), x_.batch());
    std::fill_n(block.data(), block.size(), padding);
    for (std::size_t n = 0; n < views.size(); ++n)
      std::copy_n(views[n].data(), views[n].size(), block.column(places_[n].first, places_[n].row));
    return block;
  }

 private:
  /// The list as views, checked; the frames of the longest.
  template <class List>
  Index take(std::string_view where, List& list) {
    list_.clear();
    for (auto&& sequence : list) list_.emplace_back(std::forward<decltype(sequence)>(sequence));
    detail::check_that(!list_.empty(), where, "list", "at least 1 sequence", 0);
    Index longest = 0;
    for (std::size_t n = 0; n < list_.size(); ++n) {
      detail::in_part(static_cast<Index>(n), [&] {
        detail::check_sequence(where, "list", list_[n], list_[0].features(), -1, 1);
        detail::check_that(list_[n].time() >= 1, where, "list", "sequences of at least 1 frame", "one of none");
      });
      longest = std::max<Index>(longest, list_[n].time());
    }
    return longest;
  }

  void place_in_order(Index time) {
    places_.clear();
    Index row = 0, end = 0;
    for (const View& sequence : list_) {
      if (end + sequence.time() > time) {
        ++row;
        end = 0;
      }
      places_.push_back({row, end, sequence.time()});
      end += sequence.time();
    }
  }

  void place_longest_first(Index time) {
    order_.resize(list_.size());
    for (std::size_t n = 0; n < order_.size(); ++n) order_[n] = n;
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(-list_[a].time(), a) < std::pair(-list_[b].time(), b);
    });
    rows_.begin(static_cast<Index>(list_.size()), time);
    places_.resize(list_.size());
    for (const std::size_t n : order_) places_[n] = rows_.take(list_[n].time());
  }

  /// Copies the sequences to their places, and makes all else padding.
  void lay_out() {
    Index time = 0, batch = 0;
    frames_ = 0;
    for (const Placement& place : places_) {
      time = std::max<Index>(time, place.last() + 1);
      batch = std::max<Index>(batch, place.row + 1);
      frames_ += place.frames;
    }
    const SequenceView<S> x = x_.resize(list_[0].features(), time, batch);
    const SequenceView<std::uint8_t> starts = starts_.resize(1, time, batch), mask = mask_.resize(1, time, batch);
    std::fill_n(starts.data(), starts.size(), std::uint8_t{0});
    std::fill_n(mask.data(), mask.size(), std::uint8_t{0});
    for (std::size_t n = 0; n < list_.size(); ++n) {
      const auto [row, first, frames] = places_[n];
      std::copy_n(list_[n].data(), list_[n].size(), x.column(first, row));
      std::fill_n(mask.column(first, row), frames, std::uint8_t{1});
      for (Index t = 0; t < frames; ++t) *starts.column(first + t, row) = t == 0 || list_[n].starts(t, 0);
    }
    for (Index row = 0; row < batch; ++row) {
      const std::uint8_t* of_row = mask.column(0, row);
      const Index end = std::find(of_row, of_row + time, std::uint8_t{0}) - of_row;
      std::fill_n(x.column(end, row), x.features() * (time - end), S(0));
      if (end < time) *starts.column(end, row) = 1;
    }
    list_.clear();  // its views are good for this call alone
  }

  Sequence<S> x_;                         // (F, T, B)
  Sequence<std::uint8_t> starts_, mask_;  // (1, T, B)
  std::vector<Placement> places_;
  Index frames_ = 0;
  std::vector<View> list_;
  std::vector<std::size_t> order_;
  detail::FirstFit rows_;
};

}  // namespace minrnn
