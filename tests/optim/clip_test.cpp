// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/optim/clip.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace minrnn::tests {
namespace {

struct Two {
  Parameter<float> w{2, 2}, b{2};

  Two() {
    w.value.setConstant(9);
    w.grad << 1, 2, 4, 2;  // squares 25
    b.grad << 12, 0;       // squares 144: 13 together
  }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
    visitor(scope / "b", self.b);
  }
};

TEST(ClipGradientNorm, ScalesAllGradientsTogetherToTheLimit) {
  Two layer;
  EXPECT_DOUBLE_EQ(gradient_norm(layer), 13);
  EXPECT_DOUBLE_EQ(clip_gradient_norm(layer, 6.5), 13) << "the norm as it was";
  EXPECT_NEAR(gradient_norm(layer), 6.5, 1e-6);
  EXPECT_FLOAT_EQ(layer.w.grad(1, 0), 2);
  EXPECT_FLOAT_EQ(layer.b.grad(0, 0), 6);
  EXPECT_EQ(layer.w.value(0, 0), 9);
}

TEST(ClipGradientNorm, LeavesSmallGradientsAlone) {
  Two layer;
  for (const double limit : {13.0, 14.0, std::numeric_limits<double>::infinity()}) {
    EXPECT_DOUBLE_EQ(clip_gradient_norm(layer, limit), 13);
    EXPECT_EQ(layer.w.grad(1, 0), 4);
    EXPECT_EQ(layer.b.grad(0, 0), 12);
  }
  zero_gradients(layer);
  EXPECT_EQ(clip_gradient_norm(layer, 1), 0);
  EXPECT_EQ(layer.b.grad(0, 0), 0);
}

TEST(ClipGradientNorm, TellsOfANormThatIsNoNumberAndLeavesNoGradient) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kInfinity, -kInfinity, kNan})
    for (const double limit : {1.0, std::numeric_limits<double>::infinity()}) {
      Two layer;
      layer.b.grad(1, 0) = bad;
      EXPECT_FALSE(std::isfinite(clip_gradient_norm(layer, limit)));
      EXPECT_TRUE(layer.w.grad.array().isNaN().all());
      EXPECT_TRUE(layer.b.grad.array().isNaN().all());
      EXPECT_EQ(layer.w.value(0, 0), 9);
    }
}

template <class S>
struct Vector {
  Parameter<S> p;
  explicit Vector(Index size, double grad = 0) : p(size) { p.grad.setConstant(static_cast<S>(grad)); }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "p", self.p);
  }
};

TEST(ClipGradientNorm, IsRightWhereverTheNormIsANumber) {
  const auto expect = [](auto layer, double norm) {
    using S = typename decltype(layer.p.value)::Scalar;
    constexpr double kRounding = std::is_same_v<S, float> ? 1e-7 : 1e-15;
    EXPECT_NEAR(gradient_norm(layer) / norm, 1, kRounding) << norm;
    auto copy = layer;
    EXPECT_NEAR(clip_gradient_norm(copy, norm / 4) / norm, 1, kRounding) << norm;
    EXPECT_NEAR(gradient_norm(copy) / (norm / 4), 1, 2 * kRounding) << norm;
    if (norm < 1) return;
    EXPECT_NEAR(clip_gradient_norm(layer, 1) / norm, 1, kRounding) << norm;
    EXPECT_NEAR(gradient_norm(layer), 1, 2 * kRounding) << norm;
  };
  const auto alone = [](auto layer, double grad) {
    using S = typename decltype(layer.p.value)::Scalar;
    layer.p.grad(3, 0) = static_cast<S>(grad);
    return layer;
  };
  expect(alone(Vector<float>(9), 1e20), 1e20);
  expect(alone(Vector<float>(9), 1e-25), 1e-25);
  expect(Vector<float>(40000, 3e38), 6e40);  // beyond float, as limit / norm is
  expect(alone(Vector<double>(9), 1e200), 1e200);
  expect(alone(Vector<double>(9), 1e-200), 1e-200);
  expect(Vector<double>(4, 8e307), 1.6e308);
  expect(Vector<double>(400, 1e-170), 2e-169);

  Vector<double> least(4, 1e-310);  // denormal: exact to their own spacing of 5e-324
  EXPECT_NEAR(gradient_norm(least) / 2e-310, 1, 1e-13);
  clip_gradient_norm(least, 1e-310);
  EXPECT_NEAR(least.p.grad(0, 0) / 5e-311, 1, 1e-12);
  Vector<double> most(1, 1e300);
  clip_gradient_norm(most, 1e-100);  // their quotient is below the range of double
  EXPECT_NEAR(most.p.grad(0, 0) / 1e-100, 1, 1e-15);
}

TEST(ClipGradientNorm, SumsInDouble) {
  Vector<float> layer(1 << 20, 1e-4);
  layer.p.grad(0, 0) = 1;  // a million squares of 1e-8 beside it
  const double small = static_cast<double>(1e-4f);
  EXPECT_NEAR(gradient_norm(layer), std::sqrt(1 + ((1 << 20) - 1) * small * small), 1e-13);
}

TEST(ClipGradientNorm, WantsAPositiveLimit) {
  Two layer;
  for (const double limit : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    try {
      clip_gradient_norm(layer, limit);
      ADD_FAILURE() << limit;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("clip_gradient_norm: limit: wanted a positive number"),
                std::string::npos)
          << error.what();
    }
    EXPECT_EQ(layer.w.grad(1, 0), 4);
  }
}

}  // namespace
}  // namespace minrnn::tests
