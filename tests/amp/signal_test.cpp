// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "signal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "latency.hpp"
#include "minrnn/core/random.hpp"
#include "resample.hpp"

namespace amp {
namespace {

TEST(Resampler, KnowsASineBetweenItsSamples) {
  constexpr int kFactor = 8, kSize = 400;
  const Resampler resampler(kFactor);
  const auto sine = [](double t) { return std::sin(2 * std::numbers::pi * 0.2 * t + 0.3); };  // 9.6 kHz of 48
  std::vector<double> x;
  for (int t = 0; t < kSize; ++t) x.push_back(sine(t));
  const auto y = resampler.up(x);
  ASSERT_EQ(y.size(), x.size() * kFactor);
  const auto again = resampler.down(y);
  ASSERT_EQ(again.size(), x.size());
  for (int t = 60; t < kSize - 60; ++t) {                            // where the filter sees samples alone
    EXPECT_NEAR(again[static_cast<std::size_t>(t)], sine(t), 2e-4);  // twice what the window lets through, -80 dB
    for (int n = 0; n < kFactor; ++n)
      EXPECT_NEAR(y[static_cast<std::size_t>(t * kFactor + n)], sine(t + n / 8.0), 1e-4);
  }
}

TEST(Guitar, IsTheSameForASeed) {
  const Recording one = play_guitar(3, 48000, 1), again = play_guitar(3, 48000, 1), other = play_guitar(3, 48000, 2);
  EXPECT_EQ(one.samples, again.samples);
  EXPECT_NE(one.samples, other.samples);
  EXPECT_EQ(one.size(), 3 * 48000);
}

TEST(Guitar, IsLoudAndSoftAndSilent) {
  const Recording guitar = play_guitar(30, 48000, 1);
  float peak = 0;
  std::vector<double> levels;  // of pieces of 50 ms
  for (std::size_t first = 0; first + 2400 <= guitar.samples.size(); first += 2400) {
    double square = 0;
    for (std::size_t t = first; t < first + 2400; ++t) {
      peak = std::max(peak, std::abs(guitar.samples[t]));
      square += static_cast<double>(guitar.samples[t] * guitar.samples[t]) / 2400;
    }
    levels.push_back(std::sqrt(square));
  }
  EXPECT_FLOAT_EQ(peak, 0.9f);
  std::sort(levels.begin(), levels.end());
  EXPECT_EQ(levels.front(), 0);
  EXPECT_GT(levels[levels.size() * 9 / 10], 10 * levels[levels.size() / 4]);
}

TEST(Pedal, IsBoundByItsDiodes) {
  const Recording dry = play_guitar(5, 48000, 1), wet = through_pedal(dry, 0);
  ASSERT_EQ(wet.size(), dry.size());
  float peak = 0;
  for (const float y : wet.samples) peak = std::max(peak, std::abs(y));
  EXPECT_GT(peak, 0.3f);
  EXPECT_LT(peak, 0.8f);  // the level of 0.8, and less than 1 V of two diodes
}

TEST(Latency, IsFoundWhateverTheDevice) {
  const Recording dry = play_guitar(12, 48000, 3);
  for (const Index latency : {0, 1, 37, 480, 9600}) {
    const auto found = estimate_latency(dry.samples, through_pedal(dry, latency).samples, 12000);
    ASSERT_TRUE(found.has_value()) << latency;
    // Never later, as the model would have to foresee; the tone control smears the onset over two samples.
    EXPECT_LE(*found, latency);
    EXPECT_GE(*found, latency - 2);
  }
}

TEST(Latency, MayBeNegative) {
  const Recording dry = play_guitar(12, 48000, 3), wet = through_pedal(dry, 0);
  const std::vector<float> late(wet.samples.begin() + 500, wet.samples.end());
  const auto found = estimate_latency(dry.samples, late, 12000);
  ASSERT_TRUE(found.has_value());
  EXPECT_LE(*found, -500);
  EXPECT_GE(*found, -502);
}

TEST(Latency, IsNotMadeUp) {
  const Recording one = play_guitar(12, 48000, 3), other = play_guitar(12, 48000, 4);
  EXPECT_FALSE(estimate_latency(one.samples, other.samples, 12000).has_value());
  EXPECT_FALSE(estimate_latency(one.samples, std::vector<float>(one.samples.size()), 12000).has_value());
  EXPECT_FALSE(estimate_latency({}, {}, 12000).has_value());
  EXPECT_FALSE(estimate_latency({1, 2, 3}, {1, 2, 3}, 12000).has_value());
}

}  // namespace
}  // namespace amp
