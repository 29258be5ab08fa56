// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/math/exact_gelu.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>

#include "support/accuracy.hpp"

namespace minrnn::tests {
namespace {

using Real = long double;

constexpr auto value = [](auto x) { return exact_gelu(x).value; };
constexpr auto tail = value;
constexpr auto slope = [](auto x) { return exact_gelu(x).derivative; };

Real phi(Real x) { return std::erfc(-x / std::numbers::sqrt2_v<Real>) / 2; }
Real wanted_value(Real x) { return x * phi(x); }
Real wanted_slope(Real x) { return phi(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Real>); }

template <class S>
class ExactGelu : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ExactGelu, Scalars);

TYPED_TEST(ExactGelu, IsAsAccurateAsStated) {
  using S = TypeParam;
  MINRNN_EXPECT_ACCURATE(S, value, wanted_value, -3, 1e6, 0, 9);
  // Left of -3 it is next to zero, and its exponent is large: the error counts against 1 too.
  MINRNN_EXPECT_ACCURATE(S, tail, wanted_value, -40, 0, 1, 1);
  // A difference of two terms that cancel where the function has its minimum: the error counts against 1.
  MINRNN_EXPECT_ACCURATE(S, slope, wanted_slope, -40, 40, 1, 3);
}

TYPED_TEST(ExactGelu, KnowsItsSpecialValues) {
  using S = TypeParam;
  EXPECT_EQ(at<S>(value, S(0)), S(0));
  EXPECT_NEAR(at<S>(slope, S(0)), S(0.5), std::numeric_limits<S>::epsilon());
  for (const S x : {S(60), S(1e4), S(1e30), std::numeric_limits<S>::max()}) {
    EXPECT_EQ(at<S>(value, x), x);
    EXPECT_EQ(at<S>(value, -x), S(0));
    EXPECT_EQ(at<S>(slope, x), S(1));
    EXPECT_EQ(at<S>(slope, -x), S(0));
  }
  EXPECT_TRUE(std::isnan(at<S>(value, std::numeric_limits<S>::quiet_NaN())));
}

}  // namespace
}  // namespace minrnn::tests
