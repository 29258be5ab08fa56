// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/attention/rotary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>

namespace minrnn::tests {
namespace {

/// Beyond position 12868 the product of a frequency and a position is above 2^31, which matters where Index has 32
/// bits.
TEST(Rotary, TurnsByTheAngleOfItsEquationAtEveryPosition) {
  constexpr std::int64_t kTurn = detail::Rotary<double>::kTurn;
  const detail::Rotary<double> rotary(4, 10000);
  const std::int64_t frequencies[] = {std::llround(kTurn / (2 * std::numbers::pi)),
                                      std::llround(kTurn / (2 * std::numbers::pi * 100))};
  for (const Index position : {0, 1, 12867, 12868, 12869, 100000, 1048575, 1048577, 1500000}) {
    double turns[4];
    rotary.turns_of(position, Row<double>(turns));
    for (int e = 0; e < 2; ++e) {
      const double whole = static_cast<double>(frequencies[e] * position % kTurn) / static_cast<double>(kTurn);
      EXPECT_NEAR(turns[e], std::cos(2 * std::numbers::pi * whole), 1e-12) << position;
      EXPECT_NEAR(turns[2 + e], std::sin(2 * std::numbers::pi * whole), 1e-12) << position;
    }
  }
}

}  // namespace
}  // namespace minrnn::tests
