// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <type_traits>

#include "conformance/listed_layer.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

/// A cell walks as the layer steps that it was made of.
template <class Cell, class L>
void expect_steps_of(const L& layer) {
  using S = typename L::Scalar;
  const Cell cell(layer);
  const auto any_layer = conformance::erase(layer);
  const Example example(any_layer, 25, 1);
  const Matrix<S> wanted = stream(any_layer, example).at("y");
  typename Cell::Output h = layer.initial_state(1).h, c = Cell::Output::Zero();
  auto state = cell.initial_state();
  Matrix<S> y(wanted.rows(), wanted.cols()), y_of_state = y;
  for (Index t = 0; t < 25; ++t) {
    const typename Cell::Input x = example.x.view().matrix(0).col(t);
    if constexpr (requires { cell.step(x, h, c); })
      cell.step(x, h, c);
    else
      cell.step(x, h);
    y.col(t) = h;
    y_of_state.col(t) = cell.step(x, state);
  }
  EXPECT_TRUE(equal<S>(y, wanted));
  EXPECT_TRUE(equal<S>(y_of_state, wanted));
}

template <class Cell, class L>
void expect_steps_of_the_layer() {
  const RandomStream stream = Random(5).stream(0);
  if constexpr (std::is_constructible_v<L, Index, Index, RandomStream, RgLruOptions>)
    expect_steps_of<Cell>(L(Cell::input_size(), Cell::output_size(), stream, {.learn_initial_state = true}));
  else if constexpr (std::is_constructible_v<L, Index, Index, RandomStream, MinimalOptions>)
    expect_steps_of<Cell>(
        L(Cell::input_size(), Cell::output_size(), stream, {.forget_bias = 1, .learn_initial_state = true}));
  else
    expect_steps_of<Cell>(L(Cell::input_size(), Cell::output_size(), stream));
}

template <class S, Index inputs, Index hidden>
void expect_all_variants() {
  expect_steps_of_the_layer<MinGruCell<S, inputs, hidden>, MinGru<S>>();
  expect_steps_of_the_layer<MinGruCell<S, inputs, hidden, Candidate::plain>, MinGru<S, Candidate::plain>>();
  expect_steps_of_the_layer<MinLstmCell<S, inputs, hidden>, MinLstm<S>>();
  expect_steps_of_the_layer<MinLstmCell<S, inputs, hidden, GateScaling::unnormalised, Candidate::plain>,
                            MinLstm<S, GateScaling::unnormalised, Candidate::plain>>();
  expect_steps_of_the_layer<SignedMinGruCell<S, inputs, hidden>, SignedMinGru<S>>();
  expect_steps_of_the_layer<SignedMinLstmCell<S, inputs, hidden>, SignedMinLstm<S>>();
  expect_steps_of_the_layer<DiagonalGruCell<S, inputs, hidden>, DiagonalGru<S>>();
  expect_steps_of_the_layer<DiagonalLstmCell<S, inputs, hidden>, DiagonalLstm<S>>();
  expect_steps_of_the_layer<RgLruCell<S, inputs, hidden>, RgLru<S>>();
  expect_steps_of_the_layer<GruCell<S, inputs, hidden>, Gru<S>>();
  expect_steps_of_the_layer<LstmCell<S, inputs, hidden>, Lstm<S>>();
}

TEST(Cells, GiveTheBitsOfTheLayersStep) {
  expect_all_variants<float, 1, 1>();
  expect_all_variants<float, 3, 16>();
  expect_all_variants<float, 5, 50>();
  expect_all_variants<double, 2, 9>();
}

// Sums in several panels of registers, and weights that no L1 holds.
TEST(Cells, OfManyFeaturesGiveTheBitsOfTheLayersStep) {
  expect_steps_of_the_layer<MinGruCell<float, 131, 128>, MinGru<float>>();
  expect_steps_of_the_layer<MinLstmCell<float, 45, 136>, MinLstm<float>>();
  expect_steps_of_the_layer<MinLstmCell<double, 31, 129>, MinLstm<double>>();
}

TEST(Cells, RefuseALayerOfOtherSizes) {
  Random random(1);
  const MinGru<float> layer(3, 8, random.stream(0));
  try {
    const MinGruCell<float, 3, 9> cell(layer);
    ADD_FAILURE() << "nothing thrown";
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("MinGru"), std::string::npos) << message;
    EXPECT_NE(message.find("wanted (9, 3), given (8, 3)"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace minrnn::tests
