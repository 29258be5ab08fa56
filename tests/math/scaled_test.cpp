// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/math/scaled.hpp"

#include <gtest/gtest.h>

#include "support/accuracy.hpp"

namespace minrnn::tests {
namespace {

using Real = long double;

constexpr auto exponential = [](auto x) { return value_of(scaled_exp(x)); };
constexpr auto there_and_back = [](auto x) { return value_of(scaled(x)); };

template <class S>
class ScaledNumber : public ::testing::Test {
 protected:
  static constexpr double kMost = std::is_same_v<S, float> ? 86 : 707;  // |x| up to which exp(x) is a number of S
  static Real log_of(const Scaled<Packet<S>>& x) {
    return std::log(static_cast<Real>(x.mantissa.first())) + static_cast<Real>(x.exponent.first()) * std::log(Real(2));
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ScaledNumber, Scalars);

TYPED_TEST(ScaledNumber, IsAsAccurateAsStated) {
  using S = TypeParam;
  MINRNN_EXPECT_ACCURATE(
      S, exponential, [](Real x) { return std::exp(x); }, -this->kMost, this->kMost, 0, 1.2);
  MINRNN_EXPECT_ACCURATE(
      S, there_and_back, [](Real x) { return x; }, 1e-36, 1e37, 0, 0);
}

// Sums and products of numbers that no exponent of S reaches, against their logarithms in long double.
TYPED_TEST(ScaledNumber, AddsAndMultipliesAtAnyMagnitude) {
  using S = TypeParam;
  using P = Packet<S>;
  Random random(1);
  Real worst = 0;
  for (int i = 0; i < 100000; ++i) {
    const double scale = i % 3 == 0 ? 1 : i % 3 == 1 ? 300 : 100000;
    const S x = static_cast<S>(scale * random.normal()), y = static_cast<S>(x + 5 * random.normal());
    const auto a = scaled_exp(P(x)), b = scaled_exp(P(y));
    const Real larger = std::max<Real>(x, y), sum = larger + std::log1p(std::exp(std::min<Real>(x, y) - larger));
    // An absolute error of the logarithm is a relative one of the number. Large logarithms are rounded themselves.
    const auto error = [&](const Scaled<P>& result, Real wanted) {
      const Real unit = std::abs(wanted) < 1000 ? Real(1) : std::abs(wanted);
      for (const auto& number : {result, detail::normalised(result)})
        worst = std::max(worst, std::abs(this->log_of(number) - wanted) / unit);
    };
    error(a, x);
    error(a * b, static_cast<Real>(x) + static_cast<Real>(y));
    error(a + b, sum);
    error(a * P(S(0.75)), static_cast<Real>(x) + std::log(Real(0.75)));
  }
  EXPECT_LE(static_cast<double>(worst) / static_cast<double>(std::numeric_limits<S>::epsilon()), 3);
}

TYPED_TEST(ScaledNumber, KnowsItsSpecialValues) {
  using S = TypeParam;
  using P = Packet<S>;
  constexpr S kInfinity = std::numeric_limits<S>::infinity();
  EXPECT_EQ(at<S>(exponential, S(0)), S(1));
  for (const S x : {S(-1e4), S(-1e30), -kInfinity}) EXPECT_EQ(at<S>(exponential, x), S(0));
  for (const S x : {S(1e4), S(1e30), kInfinity}) {
    EXPECT_TRUE(std::isfinite(at<S>(exponential, x))) << x;
    EXPECT_GT(at<S>(exponential, x), std::numeric_limits<S>::max() / 16) << x;
  }
  EXPECT_EQ(at<S>(there_and_back, S(0)), S(0));
  EXPECT_EQ(at<S>(there_and_back, std::numeric_limits<S>::denorm_min()), S(0));

  const auto none = Scaled<P>::none(), one = Scaled<P>::one(), tiny = scaled_exp(P(S(-1e5)));
  EXPECT_EQ(value_of(none).first(), S(0));
  EXPECT_EQ(value_of(one + none).first(), S(1)) << "none is neutral";
  EXPECT_EQ(value_of(none + none).first(), S(0));
  EXPECT_EQ(this->log_of(tiny + none), this->log_of(tiny)) << "even far below the range of S";
  EXPECT_EQ(value_of(none * scaled_exp(P(kInfinity))).first(), S(0)) << "none times the largest";

  const S nan = std::numeric_limits<S>::quiet_NaN();
  EXPECT_TRUE(std::isnan(at<S>(exponential, nan)));
  EXPECT_TRUE(std::isnan(at<S>(there_and_back, nan)));
  for (const auto& sum : {scaled_exp(P(nan)) + one, one + scaled_exp(P(nan))})
    EXPECT_TRUE(std::isnan(value_of(detail::normalised(sum)).first())) << "a NaN comes through";
}

}  // namespace
}  // namespace minrnn::tests
