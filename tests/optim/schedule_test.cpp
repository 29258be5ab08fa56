// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/optim/schedule.hpp"

#include <gtest/gtest.h>

namespace minrnn::tests {
namespace {

TEST(CosineSchedule, RisesThenFallsAlongHalfACosine) {
  const CosineSchedule schedule{.rate = 1, .final_rate = 0.2, .warm_up = 4, .steps = 104};
  EXPECT_DOUBLE_EQ(schedule(0), 0.2);
  EXPECT_DOUBLE_EQ(schedule(1), 0.4);
  EXPECT_DOUBLE_EQ(schedule(3), 0.8);
  EXPECT_DOUBLE_EQ(schedule(4), 1);
  EXPECT_DOUBLE_EQ(schedule(54), 0.6) << "half way, the mean of both";
  EXPECT_NEAR(schedule(29), 0.2 + 0.8 * 0.5 * (1 + std::sqrt(0.5)), 1e-15);
  EXPECT_DOUBLE_EQ(schedule(104), 0.2);
  EXPECT_DOUBLE_EQ(schedule(100000), 0.2);
  for (std::int64_t step = 4; step < 104; ++step) EXPECT_GT(schedule(step), schedule(step + 1)) << step;
}

TEST(CosineSchedule, FallsByTheClock) {
  const CosineSchedule schedule{.rate = 1, .final_rate = 0.2};
  EXPECT_DOUBLE_EQ(schedule.at(0), 1);
  EXPECT_DOUBLE_EQ(schedule.at(0.5), 0.6);
  EXPECT_DOUBLE_EQ(schedule.at(1), 0.2);
  EXPECT_DOUBLE_EQ(schedule.at(-3), 1);
  EXPECT_DOUBLE_EQ(schedule.at(7), 0.2);
}

TEST(CosineSchedule, MayHaveNoWarmUpOrNothingElse) {
  const CosineSchedule none{.rate = 1, .final_rate = 0, .warm_up = 0, .steps = 10};
  EXPECT_DOUBLE_EQ(none(0), 1);
  EXPECT_DOUBLE_EQ(none(10), 0);
  const CosineSchedule only{.rate = 1, .final_rate = 0.5, .warm_up = 10, .steps = 10};
  EXPECT_DOUBLE_EQ(only(9), 10.0 / 11);
  EXPECT_DOUBLE_EQ(only(11), 0.5);
}

}  // namespace
}  // namespace minrnn::tests
