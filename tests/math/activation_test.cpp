// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/math/activation.hpp"

#include <gtest/gtest.h>

#include "support/accuracy.hpp"

namespace minrnn::tests {
namespace {

using Real = long double;

// What is tested, by functions without a template argument to be deduced.
constexpr auto exponential = [](auto x) { return exp(x); };
constexpr auto logistic = [](auto x) { return sigmoid(x); };
constexpr auto logistic_complement = [](auto x) { return sigmoid_pair(x).complement; };
constexpr auto hyperbolic_tangent = [](auto x) { return tanh(x); };
constexpr auto logistic_slope = [](auto x) { return sigmoid_adjoint(sigmoid(x), decltype(x)(1)); };
constexpr auto hyperbolic_slope = [](auto x) { return tanh_slope(tanh(x)); };
constexpr auto candidate = [](auto x) { return positive_candidate(x); };
constexpr auto candidate_slope = [](auto x) { return positive_candidate_slope(positive_candidate(x)); };
constexpr auto gelu_value = [](auto x) { return gelu(x).value; };
constexpr auto gelu_tail = gelu_value;
constexpr auto gelu_slope = [](auto x) { return gelu(x).derivative; };
constexpr auto rectified = [](auto x) { return relu(x); };
constexpr auto parametric = [](auto x) { return prelu(x, decltype(x)(-0.75f)); };
constexpr auto exponential_linear = [](auto x) { return elu(x); };
constexpr auto exponential_linear_slope = [](auto x) { return elu_slope(elu(x)); };
constexpr auto silu_value = [](auto x) { return silu(x).value; };
constexpr auto silu_slope = [](auto x) { return silu(x).derivative; };

Real exact_sigmoid(Real x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
Real exact_candidate(Real x) { return x >= 0 ? x + 0.5L : exact_sigmoid(x); }
Real exact_candidate_slope(Real x) { return x >= 0 ? 1 : exact_sigmoid(x) * exact_sigmoid(-x); }
constexpr Real kScale = 1.59576912160573071175978423973752747L;  // 2 sqrt(2 / pi)
Real gelu_argument(Real x) { return kScale * (x + 0.044715L * x * x * x); }
Real exact_gelu(Real x) { return x * exact_sigmoid(gelu_argument(x)); }
Real exact_gelu_slope(Real x) {
  const Real u = gelu_argument(x), s = exact_sigmoid(u);
  return s + x * s * exact_sigmoid(-u) * kScale * (1 + 3 * 0.044715L * x * x);
}
Real exact_silu(Real x) { return x * exact_sigmoid(x); }
Real exact_silu_slope(Real x) { return exact_sigmoid(x) * (1 + x * exact_sigmoid(-x)); }

template <class S>
class Activation : public ::testing::Test {
 protected:
  static constexpr bool kFloat = std::is_same_v<S, float>;
  static constexpr double kMost = kFloat ? 87 : 708;  // |x| up to which exp(-|x|) is a normal number
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Activation, Scalars);

// The limits are those that the comments in the header state.
TYPED_TEST(Activation, IsAsAccurateAsStated) {
  using S = TypeParam;
  const double most = this->kMost;
  MINRNN_EXPECT_ACCURATE(
      S, exponential, [](Real x) { return std::exp(x); }, -most, most, 0, 1.2);
  MINRNN_EXPECT_ACCURATE(S, logistic, exact_sigmoid, -most, most, 0, 1.8);
  MINRNN_EXPECT_ACCURATE(
      S, logistic_complement, [](Real x) { return exact_sigmoid(-x); }, -most, most, 0, 1.8);
  MINRNN_EXPECT_ACCURATE(
      S, hyperbolic_tangent, [](Real x) { return std::tanh(x); }, -30, 30, 0, 1.2);
  MINRNN_EXPECT_ACCURATE(S, candidate, exact_candidate, -most, 1e6, 0, 1.7);
  MINRNN_EXPECT_ACCURATE(S, gelu_value, exact_gelu, -3, 1e6, 0, 9);
  const auto exact_elu = [](Real x) { return x < 0 ? std::expm1(x) : x; };
  MINRNN_EXPECT_ACCURATE(S, exponential_linear, exact_elu, -most, 1e6, 0, 4);
}

TYPED_TEST(Activation, DerivativesAreThoseOfTheFunctions) {
  using S = TypeParam;
  const double most = this->kMost;
  // Closer to the corner g rounds to 1/2, which counts as the corner.
  MINRNN_EXPECT_ACCURATE(S, candidate_slope, exact_candidate_slope, -most, -1e-6, 0, 4);
  MINRNN_EXPECT_ACCURATE(S, candidate_slope, exact_candidate_slope, 0, 1e6, 0, 0);
  const auto exact_logistic_slope = [](Real x) { return exact_sigmoid(x) * exact_sigmoid(-x); };
  MINRNN_EXPECT_ACCURATE(S, logistic_slope, exact_logistic_slope, -most, 0, 0, 3);
  // The complement of a number next to 1 is a difference: its error counts against 1.
  MINRNN_EXPECT_ACCURATE(S, logistic_slope, exact_logistic_slope, 0, most, 1, 1);
  MINRNN_EXPECT_ACCURATE(
      S, hyperbolic_slope, [](Real x) { return 1 / (std::cosh(x) * std::cosh(x)); }, -30, 30, 1, 1.2);
  // A difference of two terms that cancel where the function has its minimum: the error counts against 1.
  MINRNN_EXPECT_ACCURATE(S, gelu_slope, exact_gelu_slope, -40, 40, 1, 6);
  // Of a number next to -1, 1 is a difference.
  const auto exact_elu_slope = [](Real x) { return x < 0 ? std::exp(x) : Real(1); };
  MINRNN_EXPECT_ACCURATE(S, exponential_linear_slope, exact_elu_slope, -most, 1e6, 1, 2);
  MINRNN_EXPECT_ACCURATE(S, silu_slope, exact_silu_slope, -most, most, 1, 3);
  MINRNN_EXPECT_ACCURATE(S, silu_value, exact_silu, -most, most, 0, 3);
  // Left of -3 gelu is next to zero, and its argument is large: the error counts against 1 too.
  MINRNN_EXPECT_ACCURATE(S, gelu_tail, exact_gelu, -40, 0, 1, 1);
}

TYPED_TEST(Activation, KnowsItsSpecialValues) {
  using S = TypeParam;
  constexpr S kInfinity = std::numeric_limits<S>::infinity();
  EXPECT_EQ(at<S>(exponential, S(0)), S(1));
  EXPECT_EQ(at<S>(exponential, S(-0.0)), S(1));
  EXPECT_EQ(at<S>(exponential, -kInfinity), S(0));
  EXPECT_EQ(at<S>(exponential, S(-1e4)), S(0));
  EXPECT_EQ(at<S>(exponential, S(-1e30)), S(0));
  for (const S x : {S(1e4), S(1e30), std::numeric_limits<S>::max()}) {
    EXPECT_TRUE(std::isfinite(at<S>(exponential, x))) << x;
    EXPECT_GT(at<S>(exponential, x), std::numeric_limits<S>::max() / 2) << x;
  }
  EXPECT_EQ(at<S>(logistic, S(0)), S(0.5));
  EXPECT_EQ(at<S>(logistic, S(-0.0)), S(0.5));
  EXPECT_EQ(at<S>(candidate, S(0)), S(0.5));
  EXPECT_EQ(at<S>(candidate_slope, S(0)), S(1)) << "the slope from the right";
  EXPECT_EQ(at<S>(candidate_slope, S(-0.0)), S(1));
  EXPECT_EQ(at<S>(candidate, S(1e30)), S(1e30));
  EXPECT_EQ(at<S>(candidate, S(-1e30)), S(0));
  EXPECT_EQ(at<S>(gelu_value, S(0)), S(0));
  EXPECT_EQ(at<S>(gelu_slope, S(0)), S(0.5));
  EXPECT_EQ(at<S>(rectified, S(0)), S(0));
  EXPECT_EQ(at<S>(exponential_linear, S(0)), S(0));
  EXPECT_EQ(at<S>(exponential_linear_slope, S(0)), S(1));
  EXPECT_EQ(at<S>(silu_value, S(0)), S(0));
  EXPECT_EQ(at<S>(silu_slope, S(0)), S(0.5));
  for (const S x : {S(1e4), S(1e30), kInfinity}) {
    EXPECT_EQ(at<S>(logistic, x), S(1));
    EXPECT_EQ(at<S>(logistic, -x), S(0));
    EXPECT_EQ(at<S>(logistic_complement, x), S(0));
    EXPECT_EQ(at<S>(logistic_complement, -x), S(1));
    EXPECT_EQ(at<S>(hyperbolic_tangent, x), S(1));
    EXPECT_EQ(at<S>(hyperbolic_tangent, -x), S(-1));
    EXPECT_EQ(at<S>(rectified, x), x);
    EXPECT_EQ(at<S>(rectified, -x), S(0));
    EXPECT_EQ(at<S>(exponential_linear, x), x);
    EXPECT_EQ(at<S>(exponential_linear, -x), S(-1));
    EXPECT_EQ(at<S>(exponential_linear_slope, x), S(1));
    EXPECT_EQ(at<S>(exponential_linear_slope, -x), S(0));
  }
  for (const S x : {S(1e4), S(1e30)}) {
    EXPECT_EQ(at<S>(gelu_value, x), x);
    EXPECT_EQ(at<S>(gelu_value, -x), S(0));
    EXPECT_EQ(at<S>(gelu_slope, x), S(1));
    EXPECT_EQ(at<S>(gelu_slope, -x), S(0));
    EXPECT_EQ(at<S>(silu_value, x), x);
    EXPECT_EQ(at<S>(silu_value, -x), S(0));
    EXPECT_EQ(at<S>(silu_slope, x), S(1));
    EXPECT_EQ(at<S>(silu_slope, -x), S(0));
  }
  EXPECT_EQ(at<S>(hyperbolic_tangent, S(0)), S(0));
  EXPECT_EQ(at<S>(hyperbolic_tangent, S(-0.0)), S(0));
}

TYPED_TEST(Activation, IsFiniteForFiniteArgumentsAndLetsNanThrough) {
  using S = TypeParam;
  const auto check = [](auto&& f, const char* name) {
    Random random(3);
    for (int i = 0; i < 20000; ++i) {
      const double magnitude = std::exp2(std::numeric_limits<S>::max_exponent * random.symmetric(1));
      const S x = static_cast<S>(i % 2 == 0 ? magnitude : -magnitude);
      if (!std::isfinite(x)) continue;
      ASSERT_TRUE(std::isfinite(at<S>(f, x))) << name << "(" << x << ")";
    }
    EXPECT_TRUE(std::isnan(at<S>(f, std::numeric_limits<S>::quiet_NaN()))) << name << " hides a NaN";
  };
  check(exponential, "exp");
  check(logistic, "sigmoid");
  check(logistic_complement, "sigmoid_pair.complement");
  check(hyperbolic_tangent, "tanh");
  check(candidate, "positive_candidate");
  check(gelu_value, "gelu");
  check(gelu_slope, "gelu'");
  check(rectified, "relu");
  check(parametric, "prelu");
  check(exponential_linear, "elu");
  check(silu_value, "silu");
  check(silu_slope, "silu'");
}

TYPED_TEST(Activation, PreluHasTheSlopeFromTheLeftAtItsCorner) {
  using S = TypeParam;
  const auto by_x = [](auto x) { return prelu_slopes(x, decltype(x)(S(-0.75))).by_x; };
  const auto by_alpha = [](auto x) { return prelu_slopes(x, decltype(x)(S(-0.75))).by_alpha; };
  const S least = std::numeric_limits<S>::min();
  for (const S x : {S(-3), -least, S(-0.0), S(0), least, S(2)}) {
    EXPECT_EQ(at<S>(parametric, x), x > 0 ? x : S(-0.75) * x) << x;
    EXPECT_EQ(at<S>(by_x, x), x > 0 ? S(1) : S(-0.75)) << x;
    EXPECT_EQ(at<S>(by_alpha, x), x > 0 ? S(0) : x) << x;
  }
}

TYPED_TEST(Activation, TanhIsOdd) {
  using S = TypeParam;
  for (const S x : arguments<S>(0, 12)) ASSERT_EQ(at<S>(hyperbolic_tangent, -x), -at<S>(hyperbolic_tangent, x)) << x;
}

// Promise 6 needs it: no element may depend on the lane that computes it.
TYPED_TEST(Activation, AnyLaneComputesTheSame) {
  using S = TypeParam;
  constexpr Index kWidth = Packet<S>::size;
  Random random(9);
  for (int i = 0; i < 2000; ++i) {
    S x[kWidth], y[kWidth];
    for (S& value : x) value = static_cast<S>(5 * random.normal());
    gelu(Packet<S>::load(x)).value.store(y);
    for (Index k = 0; k < kWidth; ++k) ASSERT_EQ(y[k], at<S>(gelu_value, x[k]));
  }
}

}  // namespace
}  // namespace minrnn::tests
