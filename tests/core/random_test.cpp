// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

namespace minrnn::tests {
namespace {

// The expected numbers were computed apart from this library, by integer arithmetic of any length: they hold on every
// platform, and a change of them would change every seeded result of every user.
TEST(Random, GivesTheseNumbersEverywhere) {
  EXPECT_EQ(mix_bits(1), 0x5692161d100b05e5u);
  EXPECT_EQ(Random()(), 0xe220a8397b1dcdafu) << "splitmix64 from state 0";
  Random random(42);
  EXPECT_EQ(random(), 0x989b3f130a063869u);
  EXPECT_EQ(random(), 0x290db4bf2570ded7u);
  EXPECT_EQ(random(), 0x2a990be63a01b2d5u);
  EXPECT_EQ(random(), 0x0c4b6b24ef01890eu);

  Random uniform(42);
  EXPECT_EQ(uniform.uniform(), 0x1.31367e26140c7p-1);
  EXPECT_EQ(uniform.uniform(), 0x1.486da5f92b86cp-3);
  EXPECT_EQ(uniform.uniform(), 0x1.54c85f31d00d8p-3);
  Random symmetric(42);
  EXPECT_EQ(symmetric.symmetric(0.5), -0x1.9d9303b3d7e72p-2);
  EXPECT_EQ(symmetric.symmetric(0.5), 0x1.486da5f92b86cp-3);
  EXPECT_EQ(symmetric.symmetric(0.5), 0x1.54c85f31d00d8p-3);
  Random normal(42);
  EXPECT_EQ(normal.normal(), 0x1.18cddcf2d447cp-2);
  EXPECT_EQ(normal.normal(), 0x1.df147d6dbb23cp-2);
  EXPECT_EQ(normal.normal(), 0x1.593c46a09aa76p-1);
  Random below(42);
  for (const std::uint64_t wanted : {1, 1, 1, 6, 9, 5, 9, 6}) EXPECT_EQ(below.below(10), wanted);

  Random fill(42);
  Matrix<float> m(2, 2);
  fill_symmetric(m, fill, 0.25);
  EXPECT_EQ(m(0, 0), -0x1.9d9304p-3f);
  EXPECT_EQ(m(1, 0), 0x1.486da6p-4f) << "in the order of memory";
  fill_normal(m, fill, 2);
  EXPECT_EQ(m(0, 0), 0x1.67acd8p-2f);
}

TEST(Random, WorksAtCompileTimeAndAsAStandardGenerator) {
  constexpr std::uint64_t first = [] {
    Random random(42);
    return random();
  }();
  static_assert(first == 0x989b3f130a063869u);
  static_assert(std::uniform_random_bit_generator<Random>);
}

TEST(Random, ResumesFromItsState) {
  Random random(7);
  random.normal();
  Random resumed = Random::from_state(random.state());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(resumed(), random());
  EXPECT_NE(Random(1)(), Random(2)());
}

TEST(Random, IsDistributedAsStated) {
  constexpr int kDraws = 200000;
  Random random(3);
  double sum = 0, squares = 0, fourths = 0, largest = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
    largest = std::max(largest, std::abs(x));
  }
  // Five standard errors: 1 / sqrt(n), sqrt(2 / n), and for the fourth moment about 9 / sqrt(n).
  const double error = 5 / std::sqrt(double(kDraws));
  EXPECT_NEAR(sum / kDraws, 0, error);
  EXPECT_NEAR(squares / kDraws, 1, 1.5 * error);
  EXPECT_NEAR(fourths / kDraws, 2.9, 9 * error) << "3 - 6 / (5 * 12): twelve uniforms, not a Gaussian";
  EXPECT_LE(largest, 6);

  double mean = 0, least = 1, most = 0, symmetric = 0, widest = 0;
  std::array<int, 7> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    mean += u / kDraws;
    least = std::min(least, u);
    most = std::max(most, u);
    const double s = random.symmetric(3);
    symmetric += s / kDraws;
    widest = std::max(widest, std::abs(s));
    ++counts[static_cast<std::size_t>(random.below(7))];
  }
  EXPECT_NEAR(mean, 0.5, error / std::sqrt(12.0));
  EXPECT_GE(least, 0);
  EXPECT_LT(most, 1);
  EXPECT_LT(least, 1e-4);
  EXPECT_GT(most, 1 - 1e-4);
  EXPECT_NEAR(symmetric, 0, 6 * error / std::sqrt(12.0));
  EXPECT_LE(widest, 3);
  EXPECT_GT(widest, 2.999);
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7.0, 5 * std::sqrt(kDraws / 7.0));
}

TEST(Random, BelowHasNoBiasWhereTheRangeIsLarge) {
  // Two thirds of 2^64: by a remainder alone the lower half would be drawn twice as often.
  const std::uint64_t n = 0xaaaaaaaaaaaaaaaau;
  Random random(5);
  int low = 0;
  for (int i = 0; i < 40000; ++i) {
    const std::uint64_t x = random.below(n);
    ASSERT_LT(x, n);
    low += x < n / 2;
  }
  EXPECT_NEAR(low, 20000, 5 * 100);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, RefusesToDrawFromNothing) {
  Random random(1);
  EXPECT_THROW(random.below(0), std::invalid_argument);
  EXPECT_EQ(random.below(1), 0u);
}

}  // namespace
}  // namespace minrnn::tests
