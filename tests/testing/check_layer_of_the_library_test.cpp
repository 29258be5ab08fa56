// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/testing/check_layer.hpp"

/// check_layer on layers of the library: with and without parameters, with states of none, one and several matrices,
/// with and without a learned initial state, of layers; in several regimes of their inputs.
namespace minrnn::tests {
namespace {

template <class L>
void expect_nothing_found(const L& layer, CheckLayerOptions options = {}) {
  for (const auto& [regime, scale] :
       {std::pair{"ordinary", 1.0}, {"tiny", 1e-6}, {"saturating", 30.0}, {"zero", 0.0}}) {
    options.input_scale = scale;
    for (const Finding& finding : check_layer(layer, options)) ADD_FAILURE() << regime << ": " << finding;
  }
}

template <class S>
class CheckLayerOfTheLibrary : public ::testing::Test {
 protected:
  Random random{5};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CheckLayerOfTheLibrary, Scalars);

TYPED_TEST(CheckLayerOfTheLibrary, LayersOfFrames) {
  expect_nothing_found(Linear<TypeParam>(5, 3, this->random.stream(0)));
  expect_nothing_found(RmsNorm<TypeParam>(5));
  expect_nothing_found(Dropout<TypeParam>(5, 0.3, this->random.stream(0)), {.random_forward = true});
}

TYPED_TEST(CheckLayerOfTheLibrary, MinimalMixers) {
  expect_nothing_found(MinGru<TypeParam>(5, 7, this->random.stream(0)));
  expect_nothing_found(MinGru<TypeParam, Candidate::positive, Arithmetic::log_space>(5, 7, this->random.stream(0),
                                                                                     {.learn_initial_state = true}));
  expect_nothing_found(
      MinLstm<TypeParam>(5, 7, this->random.stream(0), {.forget_bias = 1, .learn_initial_state = true}));
}

TYPED_TEST(CheckLayerOfTheLibrary, OtherMixers) {
  expect_nothing_found(Lstm<TypeParam>(5, 4, this->random.stream(0)));
  expect_nothing_found(Conv1d<TypeParam>(5, 4, this->random.stream(0)));
  expect_nothing_found(Mamba<TypeParam>(5, this->random.stream(0), {.states = 3}));
  expect_nothing_found(Attention<TypeParam>(6, 2, this->random.stream(0), {.head_size = 4, .window = 3}));
}

TYPED_TEST(CheckLayerOfTheLibrary, LayersOfLayersWithManyStates) {
  expect_nothing_found(
      Sequential(MinGru<TypeParam>(3, 4, this->random.stream(0)), Gru<TypeParam>(4, 5, this->random.stream(1))));
  expect_nothing_found(Stack(2, [&](Index i) { return MinGru<TypeParam>(4, 4, this->random.stream(i)); }));
}

TYPED_TEST(CheckLayerOfTheLibrary, LayersOfLayers) {
  expect_nothing_found(
      Sequential(Linear<TypeParam>(5, 4, this->random.stream(0)), MinLstm<TypeParam>(4, 4, this->random.stream(1))));
  expect_nothing_found(Residual(Sequential(RmsNorm<TypeParam>(4), MinGru<TypeParam>(4, 4, this->random.stream(0)))));
}

}  // namespace
}  // namespace minrnn::tests
