// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/conv1d_cell.hpp"
#include "minrnn/cells/dropout_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/mlp_cell.hpp"
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

template <class S>
auto amplifier(Index hidden = 16) {
  const Random random(1);
  return Sequential{MinGru<S>(1, hidden, random.stream(0), {.learn_initial_state = true}),
                    Residual(MinGru<S>(hidden, hidden, random.stream(1))), Linear<S>(hidden, 1, random.stream(2))};
}
template <class S, Index hidden>
using Amplifier =
    CellChain<MinGruCell<S, 1, hidden>, ResidualCell<MinGruCell<S, hidden, hidden>>, LinearCell<S, hidden, 1>>;

/// One of everything, in the blocks of the paper.
template <class S>
auto model_of_all() {
  const Random random(2);
  const auto branch = Sequential{RmsNorm<S>(10), Conv1d<S>(10, 4, random.stream(0)),
                                 named<"mixer">(MinLstm<S>(10, 20, random.stream(1))),
                                 Linear<S>(20, 10, random.stream(2)), Dropout<S>(10, 0.1, random.stream(3))};
  return Sequential{Linear<S>(3, 10, random.stream(4)),        Residual(branch),
                    Residual(Mlp<S>(10, 7, random.stream(5))), Gru<S>(10, 9, random.stream(6)),
                    Lstm<S>(9, 5, random.stream(7)),           SignedMinGru<S>(5, 2, random.stream(8))};
}
template <class S>
using ModelOfAll =
    CellChain<LinearCell<S, 3, 10>,
              ResidualCell<CellChain<RmsNormCell<S, 10>, Conv1dCell<S, 10, 4>, MinLstmCell<S, 10, 20>,
                                     LinearCell<S, 20, 10>, DropoutCell<S, 10>>>,
              ResidualCell<MlpCell<S, 10, 7>>, GruCell<S, 10, 9>, LstmCell<S, 9, 5>, SignedMinGruCell<S, 5, 2>>;

/// What the steps of a layer give for frames (In, T).
template <class L, class S>
Matrix<S> steps_of(const L& layer, const Matrix<S>& x) {
  auto state = layer.initial_state(1);
  typename L::Cache cache;
  Matrix<S> y(layer.output_size(), x.cols());
  for (Index t = 0; t < x.cols(); ++t) {
    const Matrix<S> frame = x.col(t);
    y.col(t) = layer.step(frame, state, cache).matrix();
  }
  return y;
}

template <class Model, class L>
void expect_steps_of(const L& layer) {
  using S = typename L::Scalar;
  constexpr Index kFrames = 200;
  Random random(3);
  const Model model(layer);
  const Matrix<S> x = random_matrix<S>(Model::input_size(), kFrames, random), wanted = steps_of(layer, x);
  auto state = model.initial_state();
  Matrix<S> y(Model::output_size(), kFrames);
  for (Index t = 0; t < kFrames; ++t) Eigen::Map<typename Model::Output>(y.col(t).data()) = model.step(x.col(t), state);
  EXPECT_TRUE(equal<S>(y, wanted));
  for (const Index block : {Index{1}, Index{7}, Index{64}, kFrames}) {
    model.reset(state);
    y.setZero();
    for (Index t = 0; t < kFrames; t += block)
      model.process(x.col(t).data(), y.col(t).data(), std::min<Index>(block, kFrames - t), state);
    EXPECT_TRUE(equal<S>(y, wanted)) << "blocks of " << block;
  }
}

TEST(CellChain, GivesTheBitsOfTheLayersStepInBlocksOfAnySize) {
  expect_steps_of<Amplifier<float, 16>>(amplifier<float>());
  expect_steps_of<Amplifier<double, 16>>(amplifier<double>());
  expect_steps_of<Amplifier<float, 13>>(amplifier<float>(13));
  expect_steps_of<ModelOfAll<float>>(model_of_all<float>());
}

TEST(CellChain, ProcessesABlockInPlaceAndNumberByNumber) {
  const Amplifier<float, 16> model(amplifier<float>());
  std::vector<float> x(100);
  for (std::size_t t = 0; t < x.size(); ++t) x[t] = static_cast<float>(t % 17) / 17 - 0.5f;
  std::vector<float> wanted(x.size());
  auto state = model.initial_state();
  for (std::size_t t = 0; t < x.size(); ++t) wanted[t] = model.step(x[t], state);
  model.reset(state);
  model.process(x.data(), x.data(), static_cast<Index>(x.size()), state);
  EXPECT_EQ(x, wanted);
}

TEST(CellChain, ForksWhereItsStateIsCopied) {
  const Amplifier<float, 16> model(amplifier<float>());
  auto state = model.initial_state();
  for (int t = 0; t < 10; ++t) model.step(0.3f, state);
  auto fork = state;
  const float first = model.step(0.5f, state);
  EXPECT_NE(model.step(-0.5f, fork), first);
  EXPECT_NE(model.step(0.5f, fork), first);
}

TEST(CellChain, BeginsWithTheLearnedState) {
  const auto layer = amplifier<float>();
  const Amplifier<float, 16> model(layer);
  const auto state = model.initial_state();
  EXPECT_TRUE(equal<float>(std::get<0>(state).h, layer.layer<0>().initial_state(1).h));
  EXPECT_GT(std::get<0>(state).h.norm(), 0);
  EXPECT_EQ(std::get<1>(state).h.norm(), 0);
}

TEST(CellChain, SaysWhichLayerHasOtherSizes) {
  const auto layer = amplifier<float>(12);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { Amplifier<float, 16>{layer}; }),
            "0: MinGru: weight of the layer: wanted (16, 1), given (12, 1)");
  const Random random(1);
  using Deep = CellChain<ResidualCell<CellChain<RmsNormCell<float, 4>, MlpCell<float, 4, 7>>>>;
  const Sequential deep{Residual(Sequential{RmsNorm<float>(4), Mlp<float>(4, 8, random.stream(0))})};
  EXPECT_EQ(message_of<std::invalid_argument>([&] { Deep{deep}; }),
            "0/1: Mlp: weight_in of the layer: wanted (7, 4), given (8, 4)");
}

}  // namespace
}  // namespace minrnn::tests
