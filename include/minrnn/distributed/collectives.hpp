// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/communicator.hpp"

namespace minrnn::detail {

inline bool is_power_of_two(Index n) { return n >= 1 && (n & (n - 1)) == 0; }

/// Throws unless there are so many ranks that each has a partner in each round of the sums and exchanges.
inline void check_ranks(std::string_view where, const Communicator& ranks) {
  check_that(is_power_of_two(ranks.size()), where, "ranks", "a power of two of them", ranks.size());
}

/// One round: sends `sent` numbers and receives `received` ones.
template <class T>
void exchange(Communicator& ranks, Index other, const T* from, Index sent, T* to, Index received) {
  static_assert(std::is_trivially_copyable_v<T>);
  ranks.exchange(other, std::as_bytes(std::span(from, static_cast<std::size_t>(sent))),
                 std::as_writable_bytes(std::span(to, static_cast<std::size_t>(received))));
}

/// Gives every rank the blocks of all: block r of `data` is [begins[r], begins[r + 1]), which rank r has at first.
/// In round m = 1, 2, 4, ... groups of m ranks swap what they have. A rank sends each number once, in log2(ranks)
/// rounds.
template <class T>
void share_blocks(Communicator& ranks, T* data, std::span<const Index> begins) {
  check_ranks("share_blocks", ranks);
  const auto begin = [&](Index rank) { return begins[static_cast<std::size_t>(rank)]; };
  for (Index m = 1; m < ranks.size(); m *= 2) {
    const Index own = ranks.rank() & ~(m - 1), others = own ^ m;  // the first ranks of the two groups
    exchange(ranks, ranks.rank() ^ m, data + begin(own), begin(own + m) - begin(own), data + begin(others),
             begin(others + m) - begin(others));
  }
}

/// Gives every rank the numbers of rank 0.
template <class T>
void broadcast_numbers(Communicator& ranks, T* data, Index count) {
  std::vector<Index> begins(static_cast<std::size_t>(ranks.size()) + 1, count);
  begins[0] = 0;
  share_blocks(ranks, data, begins);
}

/// Gives every rank the numbers of all, `count` of each: those of rank r are data[r count], ...
template <class T>
void all_gather(Communicator& ranks, T* data, Index count) {
  std::vector<Index> begins;
  for (Index rank = 0; rank <= ranks.size(); ++rank) begins.push_back(rank * count);
  share_blocks(ranks, data, begins);
}

/// Gives every rank the sums over all ranks, of the same bits. `scratch` holds (count + 1) / 2 numbers. Returns how
/// many numbers this rank has sent.
///
/// Equations   sum of ranks [r, r + 2 m) = sum of [r, r + m) + sum of [r + m, r + 2 m), for each number: the binary
///             tree over ranks, which does not depend on how the numbers are divided
/// Method      recursive halving: in round m = 1, 2, 4, ... partners r and r ^ m each take one half of what both have;
///             then the halves go back the same way. A rank sends 2 count (1 - 1 / ranks) numbers in 2 log2(ranks)
///             rounds
/// Source      Rabenseifner 2004, "Optimization of collective reduction operations"
template <class S>
Index sum_over_ranks(Communicator& ranks, S* values, Index count, S* scratch) {
  check_ranks("sum_over_ranks", ranks);
  struct Range {
    Index first, count;
  };
  std::array<Range, 64> before{};  // what this rank and its partner of a round divided
  std::size_t rounds = 0;
  const auto halves = [](Range both, bool lower) {
    const Index half = both.count / 2;
    return lower ? Range{both.first, half} : Range{both.first + half, both.count - half};
  };
  Range own{0, count};
  Index sent_numbers = 0;
  for (Index m = 1; m < ranks.size(); m *= 2) {
    const bool lower = (ranks.rank() & m) == 0;
    const Range sent = halves(own, !lower);
    before[rounds++] = own;
    own = halves(own, lower);
    exchange(ranks, ranks.rank() ^ m, values + sent.first, sent.count, scratch, own.count);
    sent_numbers += sent.count;
    for (Index i = 0; i < own.count; ++i) values[own.first + i] += scratch[i];
  }
  for (Index m = ranks.size() / 2; m >= 1; m /= 2) {
    const bool lower = (ranks.rank() & m) == 0;
    const Range both = before[--rounds], theirs = halves(both, !lower);
    exchange(ranks, ranks.rank() ^ m, values + own.first, own.count, values + theirs.first, theirs.count);
    sent_numbers += own.count;
    own = both;
  }
  return sent_numbers;
}

}  // namespace minrnn::detail

namespace minrnn {

/// Gives all ranks the numbers of all shards, of which each has those of its own as in `DataParallel`, and returns
/// their sum by the binary tree over shards: the same bits on any number of ranks. To be called by all of them.
/// Throws std::invalid_argument where the number of shards is no power of two, or not a multiple of that of the ranks.
inline double sum_over_shards(Communicator& ranks, std::vector<double>& of_shards) {
  const Index shards = static_cast<Index>(of_shards.size());
  detail::check_that(detail::is_power_of_two(shards) && shards % ranks.size() == 0, "sum_over_shards", "shards",
                     "a power of two that is a multiple of the number of ranks", shards);
  detail::all_gather(ranks, of_shards.data(), shards / ranks.size());
  std::vector<double> sums = of_shards;
  for (std::size_t n = 1; n < sums.size(); n *= 2)
    for (std::size_t i = 0; i < sums.size(); i += 2 * n) sums[i] += sums[i + n];
  return sums[0];
}

}  // namespace minrnn
