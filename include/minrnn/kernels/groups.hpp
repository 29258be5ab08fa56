// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn::detail {

/// The sequences of a batch in groups that are walked step by step, each by one thread: a product of one step then has
/// a column for every sequence of the group. Time is cut into blocks whose frames lie side by side as columns, so that
/// one product serves all of them, and the sums of a weight's gradient are read and written once for many columns.
///
/// Unlike other tiles they do not grow with the work: a batch of 64 has 4 groups, and keeps 4 threads busy. Time must
/// be walked, and W_hh is read once a step for all sequences of a group; with groups of 8, which are twice as many, a
/// training step took 3 to 5 % longer on one thread at 256 features, and as long as now at 64.
class Groups {
 public:
  static constexpr Index kMostSequences = 16, kMostColumns = 256;

  Groups(Index time, Index batch) : time_(time), batch_(batch) {}

  Index count() const { return (batch_ + kMostSequences - 1) / kMostSequences; }
  /// The most columns that a block of any group has.
  Index most_columns() const { return std::min<Index>(kMostColumns, time_ * std::min<Index>(batch_, kMostSequences)); }

  /// Steps [first, last) of sequences [sequence, sequence + count): step t of sequence b is column
  /// (t - first) * count + b - sequence.
  struct Block {
    Index sequence, count, first, last, time;

    /// Becomes the block after this one, or before it; false where there is none.
    bool next() {
      first = last;
      last = std::min<Index>(time, first + kMostColumns / count);
      return first < last;
    }
    bool previous() {
      last = first;
      first = std::max<Index>(0, last - kMostColumns / count);
      return first < last;
    }

    Index columns() const { return (last - first) * count; }
    /// Those of step t.
    template <class S>
    Columns<S> frame(Columns<S> block, Index t) const {
      return block.block((t - first) * count, count);
    }

    /// Whether the frames of a sequence are such columns where they are: of one sequence, or of one step.
    bool is_in_place() const { return count == 1 || last - first == 1; }
    template <class S>
    Columns<S> in_place(SequenceView<S> view) const {
      return {view.column(first, sequence), view.features(), columns(),
              count == 1 ? view.features() : view.batch_stride()};
    }
    /// The frames of x where they are, or copies of them.
    template <class S>
    Columns<const S> gather(SequenceView<const S> x, Columns<S> copies) const {
      if (is_in_place()) return in_place(x);
      for (Index t = first; t < last; ++t)
        for (Index i = 0; i < count; ++i)
          std::copy_n(x.column(t, sequence + i), x.features(), frame(copies, t)[i].data);
      return copies;
    }
    template <class S>
    void scatter(Columns<const std::type_identity_t<S>> frames, SequenceView<S> y) const {
      for (Index t = first; t < last; ++t)
        for (Index i = 0; i < count; ++i)
          std::copy_n(frame(frames, t)[i].data, y.features(), y.column(t, sequence + i));
    }
  };

  /// Before the first block: for (auto block = groups.start(group); block.next();).
  Block start(Index group) const { return at(group, 0); }
  /// Behind the last one: for (auto block = groups.end(group); block.previous();).
  Block end(Index group) const { return at(group, time_); }

 private:
  Block at(Index group, Index t) const {
    const Index sequence = group * kMostSequences;
    return {sequence, std::min<Index>(kMostSequences, batch_ - sequence), t, t, time_};
  }

  Index time_, batch_;
};

}  // namespace minrnn::detail
