// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/unfold.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/linear.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

TEST(Unfold, RefusesSizesBelowOneAndATailBeyondAllSizes) {
  const auto message = [&](Index features, Index kernel, Index dilation) {
    return message_of<std::invalid_argument>([&] { Unfold<float>(features, kernel, {.dilation = dilation}); });
  };
  EXPECT_EQ(message(0, 4, 1), "Unfold: features: wanted a size of at least 1, given 0");
  EXPECT_EQ(message(3, 0, 1), "Unfold: kernel: wanted a size of at least 1, given 0");
  EXPECT_EQ(message(3, 4, 0), "Unfold: dilation: wanted a size of at least 1, given 0");
  EXPECT_NE(message(3, 4, minrnn::detail::kMostSize).find("Unfold: dilation: wanted a product of at most"),
            std::string::npos);
}

TEST(Unfold, RefusesTheCacheAndTheStateOfAnotherDilation) {
  Unfold<float> near_by(3, 4), apart(3, 4, {.dilation = 2});
  Unfold<float>::Cache cache;
  auto state = apart.initial_state(1), other = near_by.initial_state(1);
  EXPECT_EQ(state.tail.rows(), 3 * 3 * 2);
  const Matrix<float> x = Matrix<float>::Ones(3, 5);
  const auto y = apart.forward(x, state, cache);
  EXPECT_THROW(near_by.backward(y, cache), std::invalid_argument);
  EXPECT_THROW(apart.forward(x, other, cache), std::invalid_argument);
}

// A weight that is zero but for its own feature: what `Conv1d` computes, by another way.
TEST(Unfold, WithADiagonalLinearIsADepthwiseConvolution) {
  constexpr Index kFeatures = 3, kKernel = 4;
  Random random(1);
  const Conv1d<double> conv(kFeatures, kKernel, random.stream(0), {.dilation = 2});
  Matrix<double> w = Matrix<double>::Zero(kFeatures, kKernel * kFeatures);
  for (Index k = 0; k < kKernel; ++k)
    for (Index f = 0; f < kFeatures; ++f) w(f, k * kFeatures + f) = conv.weight()(f, k);
  const Sequential net{Unfold<double>(kFeatures, kKernel, {.dilation = 2}), Linear<double>(w, conv.bias())};
  const Matrix<double> x = random_matrix<double>(kFeatures, 20, random);
  Conv1d<double>::Cache conv_cache;
  decltype(net)::Cache cache;
  auto conv_state = conv.initial_state(1);
  auto state = net.initial_state(1);
  const auto wanted = conv.infer(x, conv_state, conv_cache), y = net.infer(x, state, cache);
  // Sums of five numbers of order 1 in another order.
  EXPECT_LT((y.matrix(0) - wanted.matrix(0)).cwiseAbs().maxCoeff(), 1e-15);
}

}  // namespace
}  // namespace minrnn::tests
