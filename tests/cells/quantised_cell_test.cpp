// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/cells/quantised_cell.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/cells/conv1d_cell.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/dropout_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/mlp_cell.hpp"
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

/// A cell of few bits gives the bits of `step` of the quantised layer, with its weights in itself or elsewhere. They
/// are other ones than those of the layer in full.
template <WeightFormat format, class Cell, class L>
void expect_steps_of_quantised(const L& layer) {
  using S = typename L::Scalar;
  using Narrow = QuantisedCell<Cell, format>;
  SCOPED_TRACE(std::string(minrnn::detail::description<typename Narrow::Elsewhere>().text()));
  const Narrow cell(layer);
  const CellView<Narrow> view(cell.weights());
  const auto narrow = quantise(layer, format);
  auto state_of_cell = cell.initial_state(), state_of_view = view.initial_state();
  auto state = narrow.initial_state(1), full_state = layer.initial_state(1);
  typename L::Cache cache, full_cache;
  Random random(3);
  bool differs = false;
  for (int t = 0; t < 30; ++t) {
    const Matrix<S> x = random_matrix<S>(Cell::input_size(), 1, random);
    const Matrix<S> wanted = narrow.step(x, state, cache).matrix();
    ASSERT_TRUE(equal<S>(cell.step(x, state_of_cell), wanted)) << "step " << t;
    ASSERT_TRUE(equal<S>(view.step(x, state_of_view), wanted)) << "step " << t << " of a view";
    differs = differs || layer.step(x, full_state, full_cache).matrix() != wanted;
  }
  EXPECT_TRUE(differs) << "weights in full";
}
template <class Cell, class L>
void expect_steps_of_quantised(const L& layer) {
  expect_steps_of_quantised<WeightFormat::int8, Cell>(layer);
  expect_steps_of_quantised<WeightFormat::bf16, Cell>(layer);
}

/// Of one panel of rows and some of another; an even number of columns, or one more.
template <class S, Index In, Index Hidden>
void expect_all_cells() {
  const RandomStream stream = Random(5).stream(0);
  const MinimalOptions learns{.learn_initial_state = true};
  expect_steps_of_quantised<MinGruCell<S, In, Hidden>>(MinGru<S>(In, Hidden, stream, learns));
  expect_steps_of_quantised<SignedMinGruCell<S, In, Hidden>>(SignedMinGru<S>(In, Hidden, stream));
  expect_steps_of_quantised<MinLstmCell<S, In, Hidden>>(MinLstm<S>(In, Hidden, stream));
  expect_steps_of_quantised<SignedMinLstmCell<S, In, Hidden>>(SignedMinLstm<S>(In, Hidden, stream));
  expect_steps_of_quantised<RgLruCell<S, In, Hidden>>(RgLru<S>(In, Hidden, stream));
  expect_steps_of_quantised<DiagonalGruCell<S, In, Hidden>>(DiagonalGru<S>(In, Hidden, stream));
  expect_steps_of_quantised<DiagonalLstmCell<S, In, Hidden>>(DiagonalLstm<S>(In, Hidden, stream));
  expect_steps_of_quantised<GruCell<S, In, Hidden>>(Gru<S>(In, Hidden, stream));
  expect_steps_of_quantised<LstmCell<S, In, Hidden>>(Lstm<S>(In, Hidden, stream));
  expect_steps_of_quantised<LinearCell<S, In, Hidden>>(Linear<S>(In, Hidden, stream, {.bias = false}));
  expect_steps_of_quantised<MlpCell<S, In, Hidden>>(Mlp<S>(In, Hidden, stream));
  expect_steps_of_quantised<GatedMlpCell<S, In, Hidden>>(Mlp<S>(In, Hidden, stream, {.form = MlpForm::gated}));
}

TEST(QuantisedCell, GivesTheBitsOfTheQuantisedLayersStep) {
  expect_all_cells<float, 5, 18>();
  expect_all_cells<float, 16, 16>();
}

template <class S, Index In, Index Hidden>
void expect_some_cells() {
  const RandomStream stream = Random(6).stream(0);
  expect_steps_of_quantised<MinGruCell<S, In, Hidden>>(MinGru<S>(In, Hidden, stream));
  expect_steps_of_quantised<LinearCell<S, In, Hidden>>(Linear<S>(In, Hidden, stream));
}

TEST(QuantisedCell, GivesThemWhateverTheSizes) {
  expect_some_cells<float, 1, 1>();
  expect_some_cells<float, 64, 64>();
  expect_some_cells<float, 33, 45>();
  expect_some_cells<float, 1030, 3>();  // more than a frame of integers has
  expect_some_cells<double, 7, 21>();
}

template <Index hidden>
using Chain =
    CellChain<LinearCell<float, 2, 6>,
              ResidualCell<CellChain<RmsNormCell<float, 6>, Conv1dCell<float, 6, 4>, MinGruCell<float, 6, hidden>,
                                     LinearCell<float, hidden, 6>, DropoutCell<float, 6>>>,
              LstmCell<float, 6, 9>, LinearCell<float, 9, 2>>;
auto net(Index hidden) {
  const Random random(7);
  const Sequential branch{RmsNorm<float>(6), Conv1d<float>(6, 4, random.stream(0)),
                          MinGru<float>(6, hidden, random.stream(1), {.learn_initial_state = true}),
                          Linear<float>(hidden, 6, random.stream(2)), Dropout<float>(6, 0.1, random.stream(3))};
  return Sequential{Linear<float>(2, 6, random.stream(4)), Residual(branch), Lstm<float>(6, 9, random.stream(5)),
                    Linear<float>(9, 2, random.stream(6))};
}

TEST(QuantisedCell, IsAWholeChain) {
  expect_steps_of_quantised<Chain<12>>(net(12));
  expect_steps_of_quantised<Chain<32>>(net(32));
}

TEST(QuantisedCell, ProcessesBlocksOfAnySize) {
  const QuantisedCell<Chain<12>, WeightFormat::int8> model(net(12));
  Random random(8);
  const Matrix<float> x = random_matrix<float>(2, 50, random);
  Matrix<float> wanted(2, 50), y(2, 50);
  auto state = model.initial_state();
  for (Index t = 0; t < 50; ++t) Eigen::Map<Eigen::Vector2f>(wanted.col(t).data()) = model.step(x.col(t), state);
  model.reset(state);
  for (Index t = 0; t < 50; t += 7) model.process(x.col(t).data(), y.col(t).data(), std::min<Index>(7, 50 - t), state);
  EXPECT_TRUE(equal<float>(y, wanted));
}

template <class Cell>
constexpr Index bytes_of(WeightFormat format) {
  return format == WeightFormat::int8 ? QuantisedCell<Cell, WeightFormat::int8>::weights_bytes()
                                      : QuantisedCell<Cell, WeightFormat::bf16>::weights_bytes();
}
// W (128, 64), b (128), h_0 (64), and with int8 128 scales.
using Wide = MinGruCell<float, 64, 64>;
static_assert(Wide::weights_bytes() == 4 * (128 * 64 + 128 + 64));
static_assert(bytes_of<Wide>(WeightFormat::bf16) == 2 * 128 * 64 + 4 * (128 + 64));
static_assert(bytes_of<Wide>(WeightFormat::int8) == 128 * 64 + 4 * (128 + 64 + 128));
// Nothing is filled up but an odd column.
static_assert(bytes_of<LinearCell<float, 5, 3>>(WeightFormat::int8) == 3 * 6 + 4 * (3 + 3));
// What a cell holds is that, what may be read behind each of both, and what aligns them.
static_assert(sizeof(QuantisedCell<Wide, WeightFormat::int8>) < 128 * 64 + 4 * (128 + 64 + 128) + 32 + 128 + 64);

template <WeightFormat format>
void make_chain(float w, Index outputs = 1) {
  Matrix<float> first = Matrix<float>::Ones(2, 2);
  first(0, 1) = w;
  const Sequential layers{Linear<float>(first), Linear<float>(Matrix<float>::Ones(outputs, 2))};
  QuantisedCell<CellChain<LinearCell<float, 2, 2>, LinearCell<float, 2, 1>>, format>{layers};
}

TEST(QuantisedCell, RefusesWeightsThatAreNoNumbersOrOfOtherSizes) {
  constexpr auto int8 = WeightFormat::int8, bf16 = WeightFormat::bf16;
  constexpr float kMost = std::numeric_limits<float>::max(), kInfinity = std::numeric_limits<float>::infinity();
  const auto message = [](auto&& make) { return message_of<std::invalid_argument>(make); };
  EXPECT_EQ(message([] { make_chain<int8>(kInfinity); }), "0: QuantisedCell: weight: wanted finite numbers, given inf");
  EXPECT_EQ(message([] { make_chain<bf16>(kMost); }).substr(0, 79),
            "0: QuantisedCell: weight: wanted numbers that are finite in 16 bits, given 3402");
  EXPECT_EQ(message([] { make_chain<int8>(1, 3); }), "1: Linear: weight of the layer: wanted (1, 2), given (3, 2)");
  EXPECT_NO_THROW(make_chain<int8>(kMost));
  EXPECT_NO_THROW(make_chain<bf16>(0x1.fep127f)) << "the largest of 16 bits";
}

TEST(QuantisedCell, OfAFrameThatIsNotFiniteIsNaNAndRecovers) {
  const LinearCell<float, 3, 2> full(Linear<float>(3, 2, Random(9).stream(0)));
  const QuantisedCell<LinearCell<float, 3, 2>, WeightFormat::int8> cell(Linear<float>(3, 2, Random(9).stream(0)));
  minrnn::detail::NoCellState none;
  const Eigen::Vector3f good(1, -2, 0.5f), bad(1, std::numeric_limits<float>::infinity(), 0);
  EXPECT_TRUE(cell.step(bad, none).array().isNaN().all());
  // 3 weights and 3 numbers, each off by half a step: 3 (2 max |w| / 254 + max |w| 2^-14) with max |w| < 0.6.
  EXPECT_LE((cell.step(good, none) - full.step(good, none)).cwiseAbs().maxCoeff(), 0.02f);
}

}  // namespace
}  // namespace minrnn::tests
