// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "minrnn/core/memory.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// The sum of blocks of numbers that come one after the other, the leaves 0, 1, ..., by the binary tree over their
/// numbers.
///
/// Equations   sum of a leaf = its numbers;  sum of a node = sum of its lower half + sum of its upper half
/// Method      as a binary counter: leaf i completes as many nodes as i has ones at its end, each of which adds the sum
///             that waits on its level to what has been joined until then; the result waits on the next level
/// Memory      log2(leaves) blocks
template <class S>
class SubtreeSums {
 public:
  /// Of so many leaves, a power of two, of `size` numbers each. Keeps no sums.
  void resize(Index leaves, Index size) {
    const std::size_t levels = static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(leaves)));
    if (size != size_) waiting_.clear();
    size_ = size;
    while (waiting_.size() < levels) waiting_.push_back(allocate<S>(size));
  }

  /// Adds to numbers [first, first + count) of a leaf, which `values` has, the sums of all nodes that it completes.
  void join(Index leaf, Index first, Index count, S* values) const {
    for (std::size_t level = 0; level < nodes_completed(leaf); ++level) {
      const S* lower = waiting_[level].get() + first;
      for (Index i = 0; i < count; ++i) values[i] = lower[i] + values[i];
    }
  }
  /// Lets what has been joined wait for the other half of its node.
  void keep(Index leaf, Index first, Index count, const S* values) {
    std::copy_n(values, count, waiting_[nodes_completed(leaf)].get() + first);
  }

 private:
  static std::size_t nodes_completed(Index leaf) {
    return static_cast<std::size_t>(std::countr_one(static_cast<std::uint64_t>(leaf)));
  }

  Index size_ = 0;
  std::vector<Memory<S>> waiting_;  // [level], each (size)
};

}  // namespace minrnn::detail
