// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/reversed_time.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "support/compare.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

template <class S>
void expect_reversed(Index features, Index time, Index batch) {
  Random random(1);
  const Sequence<S> whole = random_sequence<S>(features + 2, time + 3, batch, random);
  const SequenceView<const S> from = SequenceView<const S>(whole.view()).chunk(1, time);  // sequences lie apart
  Sequence<S> to(features, time, batch);
  minrnn::detail::reverse_time<S>(context(), from, 1, to.view());
  for (Index b = 0; b < batch; ++b)
    for (Index t = 0; t < time; ++t) {
      const Matrix<S> wanted = from.matrix(b).col(time - 1 - t).segment(1, features);
      EXPECT_TRUE(equal<S>(Matrix<S>(to.view().matrix(b).col(t)), wanted, "a frame")) << t << " of sequence " << b;
      EXPECT_EQ(minrnn::detail::row_from_end(from, t, b).data, from.column(time - 1 - t, b));
    }
}

TEST(ReversedTime, IsTheFramesFromTheLastToTheFirst) {
  expect_reversed<float>(3, 5, 2);
  expect_reversed<double>(17, 4, 3);
  expect_reversed<float>(16, 1, 3);
  expect_reversed<float>(9, 3000, 1);  // divided among threads
  expect_reversed<double>(4, 0, 2);
}

TEST(ReversedTime, BeginsASegmentAtItsLastFrame) {
  std::vector<std::uint8_t> memory;
  EXPECT_EQ(minrnn::detail::reversed_starts({}, 4, 2, memory).flags, nullptr);
  // Segments 0 1 | 2 3 4, and 0 | 1 2 3 | 4 whose first start says nothing about the other direction.
  const std::uint8_t flags[] = {0, 0, 7, 0, 0, 9, 1, 1, 0, 0, 1, 9};  // of blocks with a gap between sequences
  const Starts starts = minrnn::detail::reversed_starts({flags, 6}, 5, 2, memory);
  const std::vector<int> wanted[] = {{0, 0, 0, 1, 0}, {0, 1, 0, 0, 1}};
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 5; ++t)
      EXPECT_EQ(starts(t, b), wanted[b][static_cast<std::size_t>(t)] == 1) << t << ", " << b;
}

TEST(ReversedTime, TakesItsFlagsBack) {
  std::vector<std::uint8_t> memory, other;
  const std::uint8_t flags[] = {0, 1, 0, 0, 1, 1, 0};  // without one at the first frame
  const Starts once = minrnn::detail::reversed_starts({flags, 7}, 7, 1, memory);
  const Starts twice = minrnn::detail::reversed_starts(once, 7, 1, other);
  for (Index t = 0; t < 7; ++t) EXPECT_EQ(twice(t, 0), flags[t] == 1) << t;
}

}  // namespace
}  // namespace minrnn::tests
