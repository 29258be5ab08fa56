// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

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

TEST(CosineSchedule, RefusesWhatIsNoSchedule) {
  const auto message = [](const CosineSchedule& schedule, std::int64_t step) -> std::string {
    try {
      schedule(step);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(message({.warm_up = -1}, 0), "CosineSchedule: warm_up: wanted at least 0, given -1");
  EXPECT_EQ(message({.steps = -5}, 0), "CosineSchedule: steps: wanted at least 0, given -5");
  EXPECT_EQ(message({}, -1), "CosineSchedule: step: wanted at least 0, given -1");
  EXPECT_EQ(message({.rate = -1}, 0), "CosineSchedule: rate: wanted a finite number of at least 0, given -1.000000");
  EXPECT_EQ(message({.final_rate = kNan}, 0),
            "CosineSchedule: final_rate: wanted a finite number of at least 0, given nan");
  EXPECT_THROW(CosineSchedule{}.at(kNan), std::invalid_argument);
  EXPECT_THROW((CosineSchedule{.rate = kNan}.at(0.5)), std::invalid_argument);
  EXPECT_EQ(message({.warm_up = 0, .steps = 0}, 0), "nothing thrown");
  const CosineSchedule endless{.rate = 1, .warm_up = kMost, .steps = kMost};
  EXPECT_NEAR(endless(kMost - 1), 1, 1e-15);
}

}  // namespace
}  // namespace minrnn::tests
