// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/minimal_layer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"

#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

template <class L>
class ForgetBias : public testing::Test {};

using Layers = testing::Types<MinGru<double>, MinLstm<double>, MinLstm<double, GateScaling::unnormalised>>;
TYPED_TEST_SUITE(ForgetBias, Layers);

TYPED_TEST(ForgetBias, KeepsItsSigmoidOfTheStateAtFirst) {
  constexpr Index kInputs = 10000, kFeatures = 4;
  for (const double bias : {0.0, 1.0, 3.0, 6.0}) {
    Random random(5);
    const TypeParam layer(kInputs, kFeatures, random.stream(0), {.forget_bias = bias});
    Sequence<double> nothing(kInputs, 1, 2);
    std::fill_n(nothing.data(), nothing.size(), 0.0);  // so that the gates are those of the biases
    typename TypeParam::Cache cache;
    auto state = layer.initial_state(2);
    state.h.col(1).setOnes();
    layer.infer(nothing.view(), state, cache, context());
    // Biases are drawn within 1 / sqrt(inputs) = 0.01, and a sigmoid has a slope of at most 1/4: two of them move it by
    // 0.005.
    const double wanted = 1 / (1 + std::exp(-bias));
    for (Index i = 0; i < kFeatures; ++i) EXPECT_NEAR(state.h(i, 1) - state.h(i, 0), wanted, 0.005) << bias;
  }
}

}  // namespace
}  // namespace minrnn::tests
