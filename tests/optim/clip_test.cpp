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

TEST(ClipGradientNorm, TellsOfANormThatIsNoNumberAndLeavesTheGradients) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Two layer;
    layer.b.grad(1, 0) = bad;
    EXPECT_FALSE(std::isfinite(clip_gradient_norm(layer, 1)));
    EXPECT_EQ(layer.w.grad(1, 0), 4);
  }
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
