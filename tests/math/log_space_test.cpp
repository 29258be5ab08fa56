// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/math/log_space.hpp"

#include <gtest/gtest.h>

#include "support/accuracy.hpp"

namespace minrnn::tests {
namespace {

using Real = long double;

constexpr auto log1p_fraction = [](auto x) { return log1p_of_fraction(x); };
constexpr auto logarithm = [](auto x) { return log(x); };
constexpr auto soft_plus = [](auto x) { return softplus(x); };
constexpr auto log_sigmoid = [](auto x) { return -softplus(-x); };
constexpr auto log_sigmoid_complement = [](auto x) { return -softplus(x); };
constexpr auto log_candidate = [](auto x) { return log_positive_candidate(x); };

Real exact_softplus(Real x) { return std::max(x, Real(0)) + std::log1p(std::exp(-std::abs(x))); }
Real exact_log_candidate(Real x) { return x >= 0 ? std::log(x + 0.5L) : -exact_softplus(-x); }
Real exact_log_add_exp(Real a, Real b) { return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b))); }

template <class S>
class LogSpace : public ::testing::Test {
 protected:
  static constexpr double kMost = std::is_same_v<S, float> ? 87 : 708;  // |x| up to which exp(-|x|) is a normal number
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(LogSpace, Scalars);

// The limits are those that the comments in the header state.
TYPED_TEST(LogSpace, IsAsAccurateAsStated) {
  using S = TypeParam;
  const double most = this->kMost;
  MINRNN_EXPECT_ACCURATE(
      S, log1p_fraction, [](Real x) { return std::log1p(x); }, 0, 1, 0, 1.9);
  MINRNN_EXPECT_ACCURATE(
      S, logarithm, [](Real x) { return std::log(x); }, 1e-30, 1e-6, 0, 1.1);
  MINRNN_EXPECT_ACCURATE(
      S, logarithm, [](Real x) { return std::log(x); }, 1e-6, 4, 0, 1.1);
  MINRNN_EXPECT_ACCURATE(
      S, logarithm, [](Real x) { return std::log(x); }, 4, 1e30, 0, 1.1);
  MINRNN_EXPECT_ACCURATE(S, soft_plus, exact_softplus, -most, 1e4, 0, 2.1);
  MINRNN_EXPECT_ACCURATE(
      S, log_sigmoid, [](Real x) { return -exact_softplus(-x); }, -1e4, most, 0, 2.1);
  MINRNN_EXPECT_ACCURATE(
      S, log_sigmoid_complement, [](Real x) { return -exact_softplus(x); }, -most, 1e4, 0, 2.1);
  MINRNN_EXPECT_ACCURATE(S, log_candidate, exact_log_candidate, -1e4, 1e4, 1, 1.5);
}

TYPED_TEST(LogSpace, LogAddExpIsAsAccurateAsStated) {
  using S = TypeParam;
  Random random(4);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const double scale = i % 3 == 0 ? 1 : i % 3 == 1 ? 30 : 1000;
    const S a = static_cast<S>(scale * random.normal()), b = static_cast<S>(a + 5 * random.normal());
    const S y = log_add_exp(Packet<S>(a), Packet<S>(b)).first();
    ASSERT_EQ(y, log_add_exp(Packet<S>(b), Packet<S>(a)).first()) << "symmetric";
    const Real exact = exact_log_add_exp(a, b);
    worst = std::max(worst, static_cast<double>(std::abs(y - exact) / std::max(Real(1), std::abs(exact))));
  }
  EXPECT_LE(worst / static_cast<double>(std::numeric_limits<S>::epsilon()), 2);
}

TYPED_TEST(LogSpace, KnowsItsSpecialValues) {
  using S = TypeParam;
  constexpr S kInfinity = std::numeric_limits<S>::infinity();
  EXPECT_EQ(at<S>(log1p_fraction, S(0)), S(0));
  EXPECT_EQ(at<S>(logarithm, S(0)), -kInfinity);
  EXPECT_EQ(at<S>(logarithm, S(1)), S(0));
  EXPECT_NEAR(at<S>(log_candidate, S(0)), std::log(S(0.5)), std::numeric_limits<S>::epsilon());
  for (const S x : {S(1e4), S(1e30)}) {
    EXPECT_EQ(at<S>(soft_plus, x), x);
    EXPECT_EQ(at<S>(soft_plus, -x), S(0));
    EXPECT_EQ(at<S>(log_sigmoid, x), S(0));
    EXPECT_EQ(at<S>(log_sigmoid, -x), -x);
    EXPECT_EQ(at<S>(log_sigmoid_complement, x), -x);
    EXPECT_EQ(at<S>(log_sigmoid_complement, -x), S(0));
    EXPECT_EQ(at<S>(log_candidate, -x), -x);
    EXPECT_NEAR(at<S>(log_candidate, x), std::log(x), 1e-5 * std::log(x));
  }
  const auto add = [](S a, S b) { return log_add_exp(Packet<S>(a), Packet<S>(b)).first(); };
  for (const S x : {S(0), S(-0.0), S(3), S(-1e4), S(1e4), S(-1e30), S(1e30)}) {
    EXPECT_EQ(add(x, -kInfinity), x) << "-inf is neutral";
    EXPECT_EQ(add(-kInfinity, x), x);
    EXPECT_TRUE(std::isfinite(add(x, x)));
  }
  EXPECT_EQ(add(-kInfinity, -kInfinity), -kInfinity);
  EXPECT_EQ(add(S(-1e30), S(1e30)), S(1e30));
}

TYPED_TEST(LogSpace, IsFiniteForFiniteArgumentsAndLetsNanThrough) {
  using S = TypeParam;
  const auto check = [](auto&& f, const char* name, bool negative) {
    Random random(3);
    for (int i = 0; i < 20000; ++i) {
      const double magnitude = std::exp2(std::numeric_limits<S>::max_exponent * random.symmetric(1));
      const S x = static_cast<S>(negative && i % 2 == 0 ? -magnitude : magnitude);
      if (!std::isfinite(x) || x == 0) continue;
      ASSERT_TRUE(std::isfinite(at<S>(f, x))) << name << "(" << x << ")";
    }
    EXPECT_TRUE(std::isnan(at<S>(f, std::numeric_limits<S>::quiet_NaN()))) << name << " hides a NaN";
  };
  check(logarithm, "log", false);
  check(soft_plus, "softplus", true);
  check(log_sigmoid, "log_sigmoid", true);
  check(log_sigmoid_complement, "log_sigmoid of the complement", true);
  check(log_candidate, "log_positive_candidate", true);
  const S nan = std::numeric_limits<S>::quiet_NaN();
  EXPECT_TRUE(std::isnan(log_add_exp(Packet<S>(nan), Packet<S>(S(1))).first()));
  EXPECT_TRUE(std::isnan(log_add_exp(Packet<S>(S(1)), Packet<S>(nan)).first()));
  Random random(6);
  for (int i = 0; i < 20000; ++i) {
    const double range = std::numeric_limits<S>::max_exponent - 1;
    const S a = static_cast<S>(std::exp2(range * random.symmetric(1))) * (i % 2 == 0 ? S(1) : S(-1));
    const S b = static_cast<S>(std::exp2(range * random.symmetric(1))) * (i % 3 == 0 ? S(1) : S(-1));
    ASSERT_TRUE(std::isfinite(log_add_exp(Packet<S>(a), Packet<S>(b)).first())) << a << ", " << b;
  }
}

}  // namespace
}  // namespace minrnn::tests
