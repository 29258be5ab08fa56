// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/gates/rg_lru.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "minrnn/layers/rg_lru.hpp"

namespace minrnn::tests {
namespace {

using detail::RgLruGates;

template <class S>
class RgLruGatesOf : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RgLruGatesOf, Scalars);

TYPED_TEST(RgLruGatesOf, WhatEntersKeepsItsPrecisionWhereTheDecayIsNearOne) {
  using S = TypeParam;
  using P = Packet<S>;
  const double eps = static_cast<double>(std::numeric_limits<S>::epsilon());
  for (const S lambda : {S(-5), S(-1), S(0), S(4), S(9)})
    for (const S k_r : {S(-60), S(-20), S(-3), S(0), S(5)}) {
      const auto step = RgLruGates::forward<P>({k_r, S(1e3), S(1)}, RgLruGates::prepare<P>({lambda}));  // i is 1
      const double l =
          8 / (1 + std::exp(-static_cast<double>(k_r))) * std::log1p(std::exp(-static_cast<double>(lambda)));
      const double m = std::sqrt(-std::expm1(-2 * l));
      // exp and log1p of arguments that are exact, a division, a root: some roundings of 2 eps each.
      EXPECT_NEAR(static_cast<double>(step.input.first()) / m, 1, 16 * eps) << lambda << ", " << k_r;
      // A decay e^-l is off by l times the relative error of l.
      EXPECT_NEAR(static_cast<double>(step.decay.first()) * std::exp(l), 1, 16 * eps * (1 + l))
          << lambda << ", " << k_r;
    }
}

// The slope of sqrt(1 - a^2) is infinite at a = 1, and what it multiplies is 0 there.
TYPED_TEST(RgLruGatesOf, AGateThatIsShutHasNoSlope) {
  using S = TypeParam;
  using P = Packet<S>;
  for (const S k_r : {S(-100), S(-1e4), S(-1e30)}) {
    const auto channels = RgLruGates::prepare<P>({S(5)});
    const auto step = RgLruGates::forward<P>({k_r, S(0), S(3)}, channels);
    const auto d = RgLruGates::backward(step.kept, P(S(2)), P(S(1)), channels);
    // From r = e^-100 on: l / m is sqrt(l / 2), below 1e-20.
    EXPECT_NEAR(static_cast<double>(step.decay.first()), 1, 1e-20) << k_r;
    EXPECT_NEAR(static_cast<double>(d.dk[0].first()), 0, 1e-20) << k_r;
    EXPECT_NEAR(static_cast<double>(d.ddiagonal[0].first()), 0, 1e-20) << k_r;
    EXPECT_EQ(static_cast<double>(d.dh_before.first()), static_cast<double>(step.decay.first())) << k_r;
  }
}

TEST(RgLruOptions, SayBetweenWhatTheDecaysBegin) {
  const RgLru<double> layer(3, 500, Random(1).stream(0)), slow(3, 500, Random(1).stream(0), {.least_decay = 0.99});
  const auto decays = [](const RgLru<double>& of) {
    const Eigen::ArrayXd lambda = of.diagonal(0).col(0).array();
    return Eigen::ArrayXd(1 / (1 + (-lambda).exp()).pow(8));
  };
  // The logarithm of s / (1 - s) near s = 1 has lost at most 1e4 eps.
  EXPECT_GE(decays(layer).minCoeff(), 0.9 - 1e-11);
  EXPECT_LE(decays(layer).maxCoeff(), 0.999 + 1e-11);
  EXPECT_NEAR(decays(layer).mean(), 0.9495, 0.005);  // 500 numbers with a deviation of 0.029: four of 0.0013
  EXPECT_GE(decays(slow).minCoeff(), 0.99 - 1e-11);
  for (const RgLruOptions& wrong :
       {RgLruOptions{.least_decay = 0}, {.least_decay = 0.9995}, {.most_decay = 1}, {.most_decay = std::nan("")}})
    EXPECT_THROW(RgLru<double>(3, 4, Random(1).stream(0), wrong), std::invalid_argument);
}

}  // namespace
}  // namespace minrnn::tests
