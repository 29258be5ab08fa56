// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "minrnn/cells/activation_cell.hpp"
#include "minrnn/cells/conv1d_cell.hpp"
#include "minrnn/cells/dropout_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/mlp_cell.hpp"
#include "minrnn/cells/prelu_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/cells/unfold_cell.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/unfold.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

/// A cell gives the bits of `step` of the layer that it was made of.
template <class Cell, class L>
void expect_steps_of(L layer, double deviation = 1) {
  using S = typename L::Scalar;
  Random random(3);
  visit_parameters(layer, [&](const Name&, auto& p) { fill_normal(p.value, random, 0.5); });
  const Cell cell(layer);
  auto state_of_cell = cell.initial_state();
  auto state = layer.initial_state(1);
  typename L::Cache cache;
  for (int t = 0; t < 25; ++t) {
    const Matrix<S> x = random_matrix<S>(Cell::input_size(), 1, random, deviation);
    const auto wanted = layer.step(x, state, cache);
    const typename Cell::Output y = cell.step(x, state_of_cell);
    ASSERT_TRUE(equal<S>(y, wanted.matrix())) << "step " << t;
  }
}

template <class S, Index features>
void expect_all_activations() {
  minrnn::detail::for_each_activation(
      []<ActivationFunction function>(std::integral_constant<ActivationFunction, function>) {
        expect_steps_of<ActivationCell<S, features, function>>(Activation<S>(features, function), 3);
      });
}

template <class S, Index In, Index Out>
void expect_all_cells() {
  const RandomStream stream = Random(5).stream(0);
  expect_steps_of<LinearCell<S, In, Out>>(Linear<S>(In, Out, stream));
  expect_steps_of<LinearCell<S, In, Out>>(Linear<S>(In, Out, stream, {.bias = false}));
  expect_steps_of<Conv1dCell<S, In, 4>>(Conv1d<S>(In, 4, stream));
  expect_steps_of<Conv1dCell<S, In, 1>>(Conv1d<S>(In, 1, stream));
  expect_steps_of<Conv1dCell<S, In, 3, 4>>(Conv1d<S>(In, 3, stream, {.dilation = 4}));
  expect_steps_of<Conv1dCell<S, In, 1, 4>>(Conv1d<S>(In, 1, stream, {.dilation = 4}));
  expect_steps_of<UnfoldCell<S, In, 4>>(Unfold<S>(In, 4));
  expect_steps_of<UnfoldCell<S, In, 1>>(Unfold<S>(In, 1));
  expect_steps_of<UnfoldCell<S, In, 3, 4>>(Unfold<S>(In, 3, {.dilation = 4}));
  expect_steps_of<PreluCell<S, In>>(Prelu<S>(In));
  expect_steps_of<RmsNormCell<S, In>>(RmsNorm<S>(In));
  expect_steps_of<RmsNormCell<S, In>>(RmsNorm<S>(In), std::is_same_v<S, float> ? 1e25 : 1e200);
  expect_steps_of<RmsNormCell<S, In>>(RmsNorm<S>(In, {.epsilon = 0.25}));
  expect_steps_of<MlpCell<S, In, Out>>(Mlp<S>(In, Out, stream));
  expect_steps_of<MlpCell<S, In, Out, GeluForm::exact>>(Mlp<S>(In, Out, stream, {.gelu = GeluForm::exact}));
  expect_steps_of<GatedMlpCell<S, In, Out>>(Mlp<S>(In, Out, stream, {.form = MlpForm::gated}));
  expect_steps_of<DropoutCell<S, In>>(Dropout<S>(In, 0.5, stream));
  expect_all_activations<S, In>();
}

TEST(FrameWiseCells, GiveTheBitsOfTheLayersStep) {
  expect_all_cells<float, 1, 1>();
  expect_all_cells<float, 3, 16>();
  expect_all_cells<float, 37, 50>();
  expect_all_cells<double, 16, 3>();
}

TEST(FrameWiseCells, RefuseALayerOfOtherSizes) {
  const RandomStream stream = Random(5).stream(0);
  const auto message = [](auto&& make) { return message_of<std::invalid_argument>(make); };
  EXPECT_EQ(message([&] { LinearCell<float, 3, 4>(Linear<float>(3, 5, stream)); }),
            "Linear: weight of the layer: wanted (4, 3), given (5, 3)");
  EXPECT_EQ(message([&] { Conv1dCell<float, 3, 4>(Conv1d<float>(3, 5, stream)); }),
            "Conv1d: weight of the layer: wanted (3, 4), given (3, 5)");
  EXPECT_EQ(message([&] { Conv1dCell<float, 3, 4, 2>(Conv1d<float>(3, 4, stream)); }),
            "Conv1d: dilation of the layer: wanted 2, given 1");
  EXPECT_EQ(message([&] { UnfoldCell<float, 3, 4>(Unfold<float>(4, 4)); }),
            "Unfold: features of the layer: wanted 3, given 4");
  EXPECT_EQ(message([&] { UnfoldCell<float, 3, 4>(Unfold<float>(3, 5)); }),
            "Unfold: kernel of the layer: wanted 4, given 5");
  EXPECT_EQ(message([&] { UnfoldCell<float, 3, 4, 2>(Unfold<float>(3, 4)); }),
            "Unfold: dilation of the layer: wanted 2, given 1");
  EXPECT_EQ(message([&] { PreluCell<float, 3>(Prelu<float>(4)); }),
            "Prelu: alpha of the layer: wanted (3, 1), given (4, 1)");
  EXPECT_EQ(message([&] { RmsNormCell<float, 3>(RmsNorm<float>(4)); }),
            "RmsNorm: gain of the layer: wanted (3, 1), given (4, 1)");
  EXPECT_EQ(message([&] { MlpCell<float, 3, 4>(Mlp<float>(3, 4, stream, {.form = MlpForm::gated})); }),
            "Mlp: weight_in of the layer: wanted (4, 3), given (8, 3)");
  EXPECT_EQ(message([&] { GatedMlpCell<float, 3, 4>(Mlp<float>(3, 8, stream)); }),
            "Mlp: weight_out of the layer: wanted (3, 4), given (3, 8)");
  EXPECT_EQ(message([&] { MlpCell<float, 3, 8>(Mlp<float>(3, 8, stream, {.gelu = GeluForm::exact})); }),
            "Mlp: GELU of the layer: wanted that of the cell, by tanh, given the exact one");
  EXPECT_EQ(message([&] { DropoutCell<float, 3>(Dropout<float>(4, 0.5, stream)); }),
            "Dropout: features of the layer: wanted 3, given 4");
  using F = ActivationFunction;
  EXPECT_EQ(message([&] { ActivationCell<float, 3, F::relu>(Activation<float>(4, F::relu)); }),
            "Activation: features of the layer: wanted 3, given 4");
  EXPECT_EQ(message([&] { ActivationCell<float, 3, F::relu>(Activation<float>(3, F::exact_gelu)); }),
            "Activation: function of the layer: wanted relu, given exact gelu");
}

/// Weights of the user's, of which nothing says that they fit each other.
struct Weights {
  Matrix<float> w, b;
  const Matrix<float>& weight() const { return w; }
  const Matrix<float>& bias() const { return b; }
};

TEST(FrameWiseCells, RefuseABiasOfAnotherSize) {
  const Weights weights{Matrix<float>::Ones(4, 3), Matrix<float>::Ones(3, 1)};
  EXPECT_EQ(message_of<std::invalid_argument>([&] { LinearCell<float, 3, 4>{weights}; }),
            "Linear: bias of the layer: wanted (4, 1), given (3, 1)");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { Conv1dCell<float, 4, 3>{weights}; }),
            "Conv1d: bias of the layer: wanted (4, 1), given (3, 1)");
}

}  // namespace
}  // namespace minrnn::tests
