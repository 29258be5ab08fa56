// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/pool.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "minrnn/layers/running_max.hpp"
#include "minrnn/layers/running_mean.hpp"
#include "support/check_layer.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

const std::set<std::string> kExact{"four_ways", "chunks", "starts", "segments", "independence"};

template <class S>
void expect_promises() {
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    const Pool<S> pool(7, pooling);
    for (const double scale : {1.0, 30.0})
      for (const Finding& finding : check_layer(pool, {.input_scale = scale, .exact = kExact}))
        ADD_FAILURE() << "pooling " << static_cast<int>(pooling) << ", inputs of " << scale << ": " << finding;
    // Features in groups, each a tile of its own; exact also over so many frames.
    for (const Finding& finding :
         check_layer(Pool<S>(135, pooling), {.time = 500,
                                            .batch = 2,
                                            .promises = {"chunks", "four_ways", "executors", "starts", "segments"},
                                            .exact = kExact}))
      ADD_FAILURE() << "pooling " << static_cast<int>(pooling) << ", many features: " << finding;
  }
}

TEST(Pool, KeepsWhatEveryLayerPromises) {
  expect_promises<float>();
  expect_promises<double>();
}

template <class L>
Results<float> run(const L& layer) {
  return train(layer, Example<L>(layer, 9, 3).with_starts({{4, 0}, {8, 2}}));
}

TEST(Pool, IsTheLayerChosen) {
  EXPECT_TRUE(equal(run(Pool<float>(5, Pooling::mean)), run(RunningMean<float>(5))));
  EXPECT_TRUE(equal(run(Pool<float>(5, Pooling::max)), run(RunningMax<float>(5))));
  const Pool<float> last(5, Pooling::last);
  const Example<Pool<float>> example(last, 9, 3);
  EXPECT_TRUE(equal<float>(train(last, example).at("y"), to_matrix(example.input())));
  EXPECT_EQ(last.pooling(), Pooling::last);
}

TEST(Pool, RefusesTheCacheAndTheStateOfAnotherPooling) {
  Pool<float> mean(5, Pooling::mean), max(5, Pooling::max);
  const Example<Pool<float>> example(mean, 9, 3);
  Pool<float>::Cache cache;
  auto state = mean.initial_state(3), other = max.initial_state(3);
  EXPECT_THROW(mean.forward(example.input(), other, cache), std::invalid_argument);
  mean.forward(example.input(), state, cache);
  EXPECT_THROW(max.backward(example.output_gradient(), cache), std::invalid_argument);
}

TEST(RunningMean, OfAMillionFramesIsThatOfDouble) {
  constexpr Index kFrames = 1 << 20;
  const RunningMean<float> layer(2);
  Matrix<float> x(2, kFrames);
  Random random(1);
  double sum = 0;
  for (Index t = 0; t < kFrames; ++t) {
    x(0, t) = 0.1f;  // a sum of floats would be wrong by 1 %
    x(1, t) = static_cast<float>(random.normal() + 1);
    sum += static_cast<double>(x(1, t));
  }
  auto state = layer.initial_state(1);
  RunningMean<float>::Cache cache;
  layer.infer(x, state, cache);
  EXPECT_EQ(state.mean(0, 0), 0.1f);
  // A million roundings of up to half a unit (6e-8), at random, each fading as the mean goes on: some 2e-5.
  EXPECT_NEAR(static_cast<double>(state.mean(1, 0)), sum / kFrames, 1e-4);
  EXPECT_EQ(state.count(0, 0), static_cast<float>(kFrames));
}

TEST(RunningMax, GivesTheGradientToTheFirstOfEqualMaxima) {
  RunningMax<float> layer(1);
  const Matrix<float> x{{1, 3, 2, 3, 3, 4, 4}}, dy = Matrix<float>::Ones(1, 7);
  auto state = layer.initial_state(1);
  RunningMax<float>::Cache cache;
  EXPECT_EQ(to_matrix(layer.forward(x, state, cache)), (Matrix<float>{{1, 3, 3, 3, 3, 4, 4}}));
  EXPECT_EQ(to_matrix(layer.backward(dy, cache)), (Matrix<float>{{1, 4, 0, 0, 0, 2, 0}}));
  const Matrix<float> next{{4, 5}}, ones = Matrix<float>::Ones(1, 2);
  auto dstate = zero_state(layer, 1);
  layer.forward(next, state, cache);
  EXPECT_EQ(to_matrix(layer.backward(ones, dstate, cache)), (Matrix<float>{{0, 1}}));
  EXPECT_EQ(dstate.largest(0, 0), 1) << "a state that is as large came first";
}

TEST(RunningMax, OfNaNIsNaNUpToTheNextStart) {
  const RunningMax<float> layer(1);
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Matrix<float> x{{1, nan, 3, 2, -infinity, -1}};
  const std::vector<std::uint8_t> starts{1, 0, 0, 1, 0, 0};
  auto state = layer.initial_state(1);
  RunningMax<float>::Cache cache;
  const Matrix<float> y = to_matrix(layer.infer(SequenceView<const float>(x).with_starts(starts.data()), state, cache));
  EXPECT_EQ(y(0, 0), 1);
  EXPECT_TRUE(std::isnan(y(0, 1)) && std::isnan(y(0, 2)));
  EXPECT_EQ(y.rightCols(3), (Matrix<float>{{2, 2, 2}}));
}

TEST(RunningMax, OfASegmentBelowEveryNumberIsThat) {
  const RunningMax<float> layer(1);
  const Matrix<float> x = Matrix<float>::Constant(1, 2, -std::numeric_limits<float>::infinity());
  auto state = layer.initial_state(1);
  RunningMax<float>::Cache cache;
  EXPECT_EQ(to_matrix(layer.infer(x, state, cache)), x);
}

}  // namespace
}  // namespace minrnn::tests
