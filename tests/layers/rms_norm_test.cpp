// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/rms_norm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/run.hpp"

namespace minrnn::tests {
namespace {

/// y and dx of one frame of x times `size`, computed in S.
template <class S>
std::pair<Matrix<double>, Matrix<double>> run(Index features, double size) {
  Random random(5);
  RmsNorm<S> layer(features);
  typename RmsNorm<S>::Cache cache;
  Sequence<S> x(features, 1, 1), dy(features, 1, 1);
  for (Index i = 0; i < features; ++i) {
    x.data()[i] = static_cast<S>(size * (random.uniform() - 0.5));
    dy.data()[i] = static_cast<S>(random.normal());
  }
  NoState none;
  const Matrix<S> y = to_matrix(layer.forward(x.view(), none, cache, context()));
  const Matrix<S> dx = to_matrix(layer.backward(dy.view(), none, cache, context()));
  return {y.template cast<double>(), dx.template cast<double>() * size};
}

TEST(RmsNorm, IsRightForEveryFiniteFrame) {
  for (const Index features : {1, 7, 64, 1000}) {
    const auto [y, dx] = run<double>(features, 1e10);  // epsilon is nothing here already: the same for any larger size
    for (const double size : {1e10, 1e18, 1e20, 1e30, 6e38}) {
      const auto [y_float, dx_float] = run<float>(features, size);
      // The root of a frame beyond 8e37 is a denormal float of at least 20 bits.
      const double tolerance = size > 1e38 ? 2e-6 : 1e-6;
      EXPECT_LE((y_float - y).cwiseAbs().maxCoeff(), tolerance * y.cwiseAbs().maxCoeff()) << features << ", " << size;
      EXPECT_LE((dx_float - dx).cwiseAbs().maxCoeff(), tolerance * (1 + dx.cwiseAbs().maxCoeff()) * 10)
          << features << ", " << size;
    }
    for (const double size : {1e154, 1e200, 1.7e308}) {
      const auto [y_wide, dx_wide] = run<double>(features, size);
      EXPECT_LE((y_wide - y).cwiseAbs().maxCoeff(), 1e-13 * y.cwiseAbs().maxCoeff()) << features << ", " << size;
      EXPECT_LE((dx_wide - dx).cwiseAbs().maxCoeff(), 1e-13 * (1 + dx.cwiseAbs().maxCoeff()) * 10);
    }
  }
}

TEST(RmsNorm, OfAFrameThatIsNoNumberIsNone) {
  RmsNorm<float> layer(4);
  RmsNorm<float>::Cache cache;
  NoState none;
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const Eigen::Vector4f x(1, bad, 2, 3);
    EXPECT_TRUE(layer.step(x, none, cache, context()).matrix().array().isNaN().any());
  }
}

}  // namespace
}  // namespace minrnn::tests
