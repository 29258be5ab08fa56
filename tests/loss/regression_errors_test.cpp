// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/loss/regression_errors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "minrnn/core/random.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

TEST(RegressionErrors, FollowTheirEquationsOverBatches) {
  Random random(1);
  const auto y = random_sequence<float>(2, 6, 3, random), target = random_sequence<float>(2, 6, 3, random);
  Sequence<std::uint8_t> mask(1, 6, 3);
  for (Index i = 0; i < mask.size(); ++i) mask.data()[i] = i % 4 == 0 ? 0 : 1;
  double absolute = 0, square = 0, variation = 0;
  Index count = 0;
  for (Index f = 0; f < 2; ++f) {
    double mean = 0, frames = 0;
    for (const bool again : {false, true})  // the mean, and then what is about it
      for (Index i = 0; i < mask.size(); ++i) {
        if (mask.data()[i] == 0) continue;
        const double wanted = target.data()[2 * i + f], error = static_cast<double>(y.data()[2 * i + f]) - wanted;
        if (!again) {
          mean = (mean * frames + wanted) / (frames + 1);
          ++frames;
        } else {
          absolute += std::abs(error);
          square += error * error;
          variation += std::pow(wanted - mean, 2);
          ++count;
        }
      }
  }
  RegressionErrors errors;
  const SequenceView<const float> all = y, all_targets = target;
  const SequenceView<const std::uint8_t> whole_mask = mask;
  errors.add(all.chunk(0, 2), all_targets.chunk(0, 2), whole_mask.chunk(0, 2));
  errors.add(all.chunk(2, 4), all_targets.chunk(2, 4), whole_mask.chunk(2, 4));
  EXPECT_EQ(errors.count(), count);
  EXPECT_NEAR(errors.mean_absolute(), absolute / static_cast<double>(count), 1e-14);
  EXPECT_NEAR(errors.root_mean_square(), std::sqrt(square / static_cast<double>(count)), 1e-14);
  EXPECT_NEAR(errors.r_squared(), 1 - square / variation, 1e-13);
  errors.clear();
  EXPECT_EQ(errors.count(), 0);
}

TEST(RegressionErrors, OfTargetsFarFromZeroKeepTheirDigits) {
  Random random(1);
  Matrix<double> target(1, 1000), y(1, 1000);
  for (Index t = 0; t < 1000; ++t) {
    target(0, t) = 1e8 + random.normal();
    y(0, t) = target(0, t) + 0.5;
  }
  RegressionErrors errors;
  errors.add(y, target);
  const double variation = (target.array() - target.mean()).square().sum();
  EXPECT_NEAR(errors.r_squared(), 1 - 250 / variation, 1e-7);  // numbers of 1e8 have 1.5e-8 left
}

TEST(RegressionErrors, OfNothingOrOfTargetsThatDoNotVary) {
  RegressionErrors errors;
  EXPECT_EQ(errors.mean_absolute(), 0);
  EXPECT_EQ(errors.root_mean_square(), 0);
  EXPECT_EQ(errors.r_squared(), 0);
  const Matrix<float> one = Matrix<float>::Ones(1, 3), two = 2 * one;
  errors.add(one, one);
  EXPECT_EQ(errors.r_squared(), 1);
  errors.add(two, one);
  EXPECT_EQ(errors.r_squared(), 0);
  EXPECT_EQ(errors.mean_absolute(), 0.5);
}

TEST(RegressionErrors, SeesNothingOfAnIgnoredFrameAndRefusesOtherShapes) {
  RegressionErrors errors;
  Matrix<float> y = Matrix<float>::Ones(1, 3), target = y;
  y(0, 1) = std::numeric_limits<float>::quiet_NaN();
  const std::uint8_t mask[] = {1, 0, 1};
  errors.add(y, target, SequenceView<const std::uint8_t>(mask, 1, 3, 1));
  EXPECT_EQ(errors.count(), 2);
  EXPECT_EQ(errors.root_mean_square(), 0);
  const Matrix<float> wide = Matrix<float>::Ones(2, 3), longer = Matrix<float>::Ones(1, 4);
  EXPECT_THROW(errors.add(wide, wide), std::invalid_argument) << "other features than before";
  EXPECT_THROW(errors.add(y, longer), std::invalid_argument);
  EXPECT_THROW(errors.add(y, target, SequenceView<const std::uint8_t>(mask, 1, 2, 1)), std::invalid_argument);
  EXPECT_EQ(errors.count(), 2);
  errors.add(y, target);
  EXPECT_TRUE(std::isnan(errors.root_mean_square()));
}

}  // namespace
}  // namespace minrnn::tests
