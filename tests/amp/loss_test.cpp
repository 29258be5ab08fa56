// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"

namespace amp {
namespace {

using minrnn::Index;
using minrnn::Sequence;

Sequence<float> noise(Index time, Index batch, std::uint64_t seed, double offset) {
  Sequence<float> sequence(1, time, batch);
  minrnn::Random random(seed);
  for (Index i = 0; i < sequence.size(); ++i) sequence.data()[i] = static_cast<float>(random.normal() + offset);
  return sequence;
}

/// The equations as they stand, with arrays of filtered signals.
double reference(const Sequence<float>& y, const Sequence<float>& target, double a) {
  const Index time = y.time(), batch = y.batch();
  double error = 0, signal = 0, means = 0, power = 0;
  for (Index b = 0; b < batch; ++b) {
    double mean = 0, square = 0, e_before = 0, s_before = 0;
    for (Index t = 0; t < time; ++t) {
      const double s = static_cast<double>(target.data()[b * time + t]);
      const double e = s - static_cast<double>(y.data()[b * time + t]);
      if (t > 0) {
        error += std::pow(e - a * e_before, 2);
        signal += std::pow(s - a * s_before, 2);
      }
      mean += e;
      square += s * s;
      e_before = e;
      s_before = s;
    }
    means += std::pow(mean / static_cast<double>(time), 2);
    power += square / static_cast<double>(time);
  }
  return error / signal + means / power;
}

TEST(ErrorToSignalLoss, IsThatOfItsEquations) {
  const auto y = noise(50, 3, 1, 0.2), target = noise(50, 3, 2, -0.1);
  Sequence<float> dy;
  for (const double a : {0.0, 0.85, 1.0}) {
    const double wanted = reference(y, target, a);
    EXPECT_NEAR(error_to_signal(y, target, dy, {.pre_emphasis = a}), wanted, 1e-12 * wanted);  // sums of 150 doubles
  }
  EXPECT_EQ(error_to_signal(target, target, dy), 0);
}

TEST(ErrorToSignalLoss, HasTheGradientOfCentralDifferences) {
  auto y = noise(20, 3, 1, 0.2);
  const auto target = noise(20, 3, 2, -0.1);
  Sequence<float> dy, ignored;
  error_to_signal(y, target, dy);
  for (Index i = 0; i < y.size(); ++i) {
    // Exact for any step, as the loss is of second order in y; a power of two is added without rounding, nearly.
    const float before = y.data()[i], above = before + 0.25f, below = before - 0.25f;
    y.data()[i] = above;
    const double loss_above = error_to_signal(y, target, ignored);
    y.data()[i] = below;
    const double loss_below = error_to_signal(y, target, ignored);
    y.data()[i] = before;
    const double slope = (loss_above - loss_below) / (static_cast<double>(above) - static_cast<double>(below));
    const double middle = 0.5 * (static_cast<double>(above) + static_cast<double>(below));
    ASSERT_NEAR(middle, static_cast<double>(before), 1e-6);
    ASSERT_NEAR(static_cast<double>(dy.data()[i]), slope, 1e-6);  // the rounding of y and of dy, floats below 4
  }
}

TEST(ErrorToSignalLoss, IsFiniteForSilence) {
  const auto y = noise(20, 2, 1, 0);
  Sequence<float> target(1, 20, 2), dy;
  std::fill_n(target.data(), target.size(), 0.0f);
  EXPECT_TRUE(std::isfinite(error_to_signal(y, target, dy)));
  for (Index i = 0; i < dy.size(); ++i) EXPECT_TRUE(std::isfinite(dy.data()[i]));
}

TEST(ErrorToSignalLoss, RefusesShapesThatDiffer) {
  Sequence<float> y(1, 20, 2), other(1, 20, 3), wide(2, 20, 2), frame(1, 1, 2), dy;
  EXPECT_THROW(error_to_signal(y, other, dy), std::invalid_argument);
  EXPECT_THROW(error_to_signal(wide, wide, dy), std::invalid_argument);
  EXPECT_THROW(error_to_signal(frame, frame, dy), std::invalid_argument);
}

TEST(ErrorToSignal, AddsPieces) {
  const float y[] = {1, 2, 3}, target[] = {1, 1, 5};
  ErrorToSignal error;
  error.add(y, target, 2);
  error.add(y + 2, target + 2, 1);
  EXPECT_DOUBLE_EQ(error.ratio(), 5.0 / 27);
}

}  // namespace
}  // namespace amp
