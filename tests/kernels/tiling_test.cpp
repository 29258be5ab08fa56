// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/tiling.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace minrnn::tests {
namespace {

void expect_partition(const Tiling& tiling, Index time, Index batch) {
  std::vector<int> seen(static_cast<std::size_t>(time * batch), 0);
  for (Index tile = 0; tile < tiling.count(); ++tile) {
    const auto t = tiling[tile];
    ASSERT_LE(t.first_sequence, t.last_sequence);
    ASSERT_LE(t.first_step, t.last_step);
    for (Index b = t.first_sequence; b < t.last_sequence; ++b)
      for (Index s = t.first_step; s < t.last_step; ++s) ++seen.at(static_cast<std::size_t>(b * time + s));
    // What carries over time relies on it: a tile is whole sequences, or a stretch of one.
    EXPECT_TRUE(tiling.parts() == 1 || t.last_sequence - t.first_sequence == 1);
    // The stretches of a sequence follow each other.
    const bool first = tile % tiling.parts() == 0;
    EXPECT_EQ(t.first_step, first ? 0 : tiling[tile - 1].last_step);
  }
  for (const int count : seen) ASSERT_EQ(count, 1);
}

constexpr Index kTimes[] = {0, 1, 2, 7, 255, 256, 257, 511, 512, 513, 600, 1030, 4096, 5000};
constexpr Index kBatches[] = {0, 1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 64, 100};

TEST(Tiling, CoversEveryStepOfEverySequenceOnce) {
  for (const Index time : kTimes)
    for (const Index batch : kBatches) {
      SCOPED_TRACE(std::to_string(time) + " steps of " + std::to_string(batch));
      for (const Index features : {1, 64, 100, 1000, 1 << 20})
        for (const Index most : {32, 1, 8, 20}) expect_partition(Tiling(features, time, batch, most), time, batch);
      for (const Index steps : {1, 100, 256}) {
        if (time / steps > 1000) continue;
        expect_partition(Tiling::of_steps(steps, time, batch), time, batch);
      }
      expect_partition(Tiling::of_steps(time, time, batch), time, batch);
      EXPECT_EQ(Tiling::of_steps(time, time, batch).parts(), 1);
    }
}

TEST(Tiling, DividesTimeOnlyWhereSequencesAreFewAndLong) {
  EXPECT_EQ(Tiling(512, 600, 8).parts(), 1);
  EXPECT_EQ(Tiling(512, 511, 1).parts(), 1);
  EXPECT_EQ(Tiling(512, 600, 1).parts(), 2);
  EXPECT_EQ(Tiling(512, 1030, 3).parts(), 4);
  EXPECT_EQ(Tiling(7, 2047, 1).parts(), 1);
  EXPECT_EQ(Tiling(7, 2048, 1).parts(), 2);
  EXPECT_EQ(Tiling(7, 100000, 1).parts(), 16);
  EXPECT_LE(Tiling(7, 100, 1000).count(), 32);
  EXPECT_LE(Tiling(7, 100, 1000, 8).count(), 8);
}

TEST(Tiling, LeavesLittleWorkToOneThread) {
  EXPECT_EQ(Tiling(8, 7, 64).count(), 1);
  EXPECT_EQ(Tiling(8, 8, 64).count(), 32);
}

TEST(Tiling, HoldsFewSumsWhereTheyAreLarge) {
  EXPECT_EQ(Tiling::most_for_sums(1), 32);
  EXPECT_EQ(Tiling::most_for_sums(Index{1} << 30), 8);
}

TEST(Tiling, DoesNotDependOnTheNumberOfThreads) {
  EXPECT_EQ(Tiling(512, 1030, 3).count(), 12);
  EXPECT_EQ(Tiling(512, 100, 100).count(), 25);
}

}  // namespace
}  // namespace minrnn::tests
