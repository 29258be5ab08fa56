// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <set>
#include <type_traits>
#include <vector>

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

TEST(RandomStream, GivesTheseNumbersEverywhere) {
  const Random random(42);
  Random first(random.stream(0));
  EXPECT_EQ(first(), 0x2c12c67ebc27a3b9u);
  EXPECT_EQ(first(), 0xaee3e8282b3ce425u);
  EXPECT_EQ(Random(random.stream(1))(), 0xb9215ecd18d3d6c4u);
  EXPECT_EQ(Random(random.stream(-1))(), 0x02474ddce499af38u);
  EXPECT_EQ(Random(random.stream(1).stream(2))(), 0x30a96380489029d4u);
}

TEST(RandomStream, IsAFunctionOfTheSeedAndItsNumberAlone) {
  const auto first = [](RandomStream stream) { return Random(stream)(); };
  Random random(7);
  const std::uint64_t wanted = first(random.stream(3)), nested = first(random.stream(3).stream(4));
  random.normal();
  Random copy = random;
  EXPECT_EQ(first(random.stream(3)), wanted) << "whatever has been drawn";
  EXPECT_EQ(first(copy.stream(3)), wanted);
  EXPECT_EQ(first(Random(7).stream(3)), wanted);
  EXPECT_EQ(first(Random(random.stream(3)).stream(4)), nested) << "a generator of a stream has the stream's streams";
  EXPECT_NE(first(random.stream(4).stream(3)), nested);
  EXPECT_NE(first(Random(8).stream(3)), wanted);
  EXPECT_EQ(copy(), random()) << "and a stream takes no number from the generator";
}

TEST(RandomStream, ComesFromAGeneratorByNumberAlone) {
  static_assert(std::is_trivially_copyable_v<RandomStream>);
  static_assert(!std::is_constructible_v<RandomStream, Random>);
  static_assert(!std::is_constructible_v<RandomStream, Random&>);
  static_assert(!std::is_constructible_v<RandomStream, std::uint64_t> && !std::is_constructible_v<RandomStream, int>);
  static_assert(!std::is_default_constructible_v<RandomStream>);
  static_assert(!std::is_convertible_v<RandomStream, Random>, "but explicitly");
  constexpr std::uint64_t first = [] { return Random(Random(42).stream(0))(); }();
  EXPECT_EQ(first, 0x2c12c67ebc27a3b9u);
}

// Each bound is five deviations of what independent numbers would give. What the library draws is fixed, so the test
// cannot fail by chance.
TEST(RandomStream, StreamsAreIndependentOfEachOther) {
  constexpr int kStreams = 1000, kDraws = 400;
  for (const std::uint64_t seed : {0u, 1u, 3u}) {
    const Random random(seed);
    std::set<std::uint64_t> firsts;
    std::vector<std::uint64_t> first;
    Matrix<double> u(kDraws, kStreams);  // of mean 0 and variance 1
    Random own = random;
    for (int i = 0; i < kStreams; ++i) {
      Random stream(random.stream(i));
      for (int n = 0; n < kDraws; ++n) u(n, i) = std::sqrt(3.0) * stream.symmetric(1);
      first.push_back(Random(random.stream(i))());
      firsts.insert(first.back());
      firsts.insert(own());
      firsts.insert(Random(random.stream(0).stream(i))());
      firsts.insert(Random(random.stream(i).stream(0))());
    }
    EXPECT_EQ(firsts.size(), 4u * kStreams - 1) << "stream 0 of stream 0 alone is there twice";

    EXPECT_LE(std::abs(u.mean()), 5 / std::sqrt(kStreams * kDraws));
    EXPECT_LE(u.colwise().mean().cwiseAbs().maxCoeff(), 5 / std::sqrt(kDraws));
    // The variance of a square is 9 / 5 - 1.
    EXPECT_LE((u.cwiseAbs2().colwise().mean().array() - 1).abs().maxCoeff(), 5 * std::sqrt(0.8 / kDraws));
    for (int apart : {1, 2, 3, 64}) {
      const Index pairs = kStreams - apart;
      const auto products = u.leftCols(pairs).cwiseProduct(u.rightCols(pairs)).eval();
      EXPECT_LE(products.colwise().mean().cwiseAbs().maxCoeff(), 5 / std::sqrt(kDraws)) << "streams " << apart;
      EXPECT_LE(std::abs(products.row(0).mean()), 5 / std::sqrt(pairs)) << "first numbers of streams " << apart;
      int bits = 0;
      for (Index i = 0; i < pairs; ++i)
        bits += std::popcount(first[static_cast<std::size_t>(i)] ^ first[static_cast<std::size_t>(i + apart)]);
      EXPECT_NEAR(bits / static_cast<double>(pairs), 32, 5 * 4 / std::sqrt(pairs)) << "bits that change in " << apart;
    }
    for (int bit = 0; bit < 64; ++bit) {
      const auto set = std::count_if(first.begin(), first.end(), [&](std::uint64_t x) { return x >> bit & 1; });
      EXPECT_NEAR(static_cast<double>(set), kStreams / 2, 5 * std::sqrt(kStreams) / 2) << "bit " << bit;
    }
  }
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
