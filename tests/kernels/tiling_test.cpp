// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/tiling.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "minrnn/kernels/tiles.hpp"

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
        for (const FrameCost cost : {FrameCost{1}, FrameCost{1e4, 1}, FrameCost{1e9, 1 << 18}})
          expect_partition(Tiling(features, time, batch, cost), time, batch);
      for (const Index steps : {1, 100, 256}) {
        if (time / steps > 1000) continue;
        expect_partition(Tiling::of_steps(steps, time, batch, {1e4}), time, batch);
      }
      const Tiling whole = Tiling::of_steps(time, time, batch, {1e4});
      expect_partition(whole, time, batch);
      EXPECT_EQ(whole.parts(), 1);
    }
}

TEST(Tiling, DividesTimeOnlyWhereSequencesAreFewAndLong) {
  const FrameCost cost{1e6}, with_sums{1e6, 1};
  EXPECT_EQ(Tiling(512, 600, 8, cost).parts(), 1);
  EXPECT_EQ(Tiling(512, 511, 1, cost).parts(), 1);
  EXPECT_EQ(Tiling(512, 600, 1, cost).parts(), 2);
  EXPECT_EQ(Tiling(512, 1030, 3, cost).parts(), 4);
  EXPECT_EQ(Tiling(512, 1030, 3, cost).count(), 12);
  EXPECT_EQ(Tiling(7, 2047, 1, cost).parts(), 1);
  EXPECT_EQ(Tiling(7, 2048, 1, cost).parts(), 2);
  EXPECT_EQ(Tiling(7, 1 << 20, 1, cost).parts(), Tiles::kMost);
  EXPECT_EQ(Tiling(7, 1 << 20, 1, with_sums).parts(), Tiles::kEnough);
  EXPECT_EQ(Tiling(7, 1 << 20, 4, with_sums).count(), Tiles::kEnough);
}

TEST(Tiling, TakesWholeSequencesByTheirWork) {
  EXPECT_EQ(Tiling(8, 7, 64, {10}).count(), 1);
  EXPECT_EQ(Tiling(8, 7, 64, {1e4}).count(), 32) << "two sequences are worth a tile";
  EXPECT_EQ(Tiling(8, 7, 64, {1e6}).count(), 64);
  EXPECT_DOUBLE_EQ(Tiling(8, 7, 64, {1e4}).work(), 7 * 64 * 1e4);
}

}  // namespace
}  // namespace minrnn::tests
