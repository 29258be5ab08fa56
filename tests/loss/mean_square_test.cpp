// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/loss/mean_square.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "minrnn/core/random.hpp"
#include "minrnn/core/tensor.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "support/compare.hpp"
#include "support/difference.hpp"

namespace minrnn::tests {
namespace {

template <class S>
Sequence<S> filled(Index features, Index time, Index batch, S value) {
  Sequence<S> sequence(features, time, batch);
  std::fill_n(sequence.data(), sequence.size(), value);
  return sequence;
}

TEST(MeanSquare, OfFloatsIsThatOfDouble) {
  Sequence<float> dy;
  for (const float size : {1e20f, 3e38f, 1e-25f, 0.1f}) {
    const double wide = static_cast<double>(size);
    Sequence<float> y = filled(5, 3, 2, size), target = filled(5, 3, 2, -size);
    EXPECT_NEAR(mean_square(y.view(), target.view(), dy).loss / (4 * wide * wide), 1, 1e-14) << size;
    EXPECT_NEAR(static_cast<double>(dy.data()[7]) / (4 * wide / 30), 1, 1e-7) << size;
  }
  // One element of 1 and a million of 1e-4, whose squares a float would lose one by one.
  Sequence<float> y = filled(1, 1 << 20, 1, 1e-4f), target = filled(1, 1 << 20, 1, 0.0f);
  y.data()[0] = 1;
  const double small = static_cast<double>(1e-4f), count = 1 << 20;
  EXPECT_NEAR(mean_square(y.view(), target.view(), dy).loss / ((1 + (count - 1) * small * small) / count), 1, 1e-12);
}

TEST(MeanSquare, OfDoublesIsFiniteWhereverTheMeanIs) {
  Sequence<double> y = filled(4, 250, 1, 0.0), target = filled(4, 250, 1, 0.0), dy;
  y.data()[17] = 1e155;
  EXPECT_NEAR(mean_square(y.view(), target.view(), dy).loss / 1e307, 1, 1e-14);
  EXPECT_NEAR(dy.data()[17] / 2e152, 1, 1e-14);
}

/// y, target (3, 5, 2) of random numbers.
template <class S>
struct Example {
  Sequence<S> y{3, 5, 2}, target{3, 5, 2}, dy;

  Example() {
    Random random(3);
    for (Sequence<S>* sequence : {&y, &target})
      for (Index i = 0; i < sequence->size(); ++i) sequence->data()[i] = static_cast<S>(random.normal());
  }
};

/// Padding behind the first 2 frames of sequence 1, and one frame of sequence 0 that nobody measured.
Sequence<std::uint8_t> padding() {
  Sequence<std::uint8_t> mask = filled(1, 5, 2, std::uint8_t{1});
  for (const auto& [t, b] : {std::pair<Index, Index>{3, 0}, {2, 1}, {3, 1}, {4, 1}}) *mask.view().column(t, b) = 0;
  return mask;
}

TEST(MeanSquare, FollowsItsEquationAndItsGradientIsItsSlope) {
  Example<double> example;
  Sequence<double>&y = example.y, &target = example.target, &dy = example.dy;
  const auto mask = padding();
  double sum = 0, sum_of_mask = 0;
  for (Index i = 0; i < 30; ++i) {
    const double square = std::pow(y.data()[i] - target.data()[i], 2);
    sum += square;
    if (mask.data()[i / 3] != 0) sum_of_mask += square;
  }
  const auto expect = [&](const MeanLoss& with_gradient, double wanted, Index count, auto&& loss) {
    EXPECT_EQ(with_gradient.count, count);
    EXPECT_NEAR(with_gradient.loss, wanted, 1e-14);
    EXPECT_EQ(loss().loss, with_gradient.loss) << "without a gradient";
    EXPECT_EQ(loss().count, count);
    for (Index i = 0; i < 30; ++i) {
      double& element = y.data()[i];
      const double kept = element, step = 1e-3;  // of a square, whose central difference is exact but for rounding
      element = kept + step;
      const double above = loss().loss;
      element = kept - step;
      const double below = loss().loss;
      element = kept;
      EXPECT_NEAR(dy.data()[i], (above - below) / (2 * step), 1e-12) << i;
    }
  };
  expect(mean_square(y, target, dy), sum / 30, 30, [&] { return mean_square(y, target); });
  expect(mean_square(y, target, mask, dy), sum_of_mask / 18, 18, [&] { return mean_square(y, target, mask); });
}

TEST(MeanSquare, SeesNothingOfAnIgnoredFrame) {
  Example<float> example;
  Sequence<float>&y = example.y, &target = example.target, &dy = example.dy;
  const auto mask = padding();
  const MeanLoss wanted = mean_square(y, target, mask, dy);
  const Matrix<float> gradient = to_matrix(dy.view());
  for (Index i = 0; i < 30; ++i)
    if (mask.data()[i / 3] == 0) {
      y.data()[i] = std::numeric_limits<float>::quiet_NaN();
      target.data()[i] = std::numeric_limits<float>::infinity();
      EXPECT_EQ(dy.data()[i], 0);
    }
  EXPECT_EQ(mean_square(y, target, mask, dy).loss, wanted.loss);
  EXPECT_TRUE(equal<float>(to_matrix(dy.view()), gradient));
  EXPECT_EQ(mean_square(y, target, mask).loss, wanted.loss);
  EXPECT_TRUE(std::isnan(mean_square(y, target).loss)) << "without the mask they count";
}

TEST(MeanSquare, OfAPaddedBatchIsThatOfItsSequences) {
  const Example<double> example;
  const auto mask = padding();
  const SequenceView<const double> y = example.y, target = example.target;
  const MeanLoss whole = mean_square(y.sequences(1, 1), target.sequences(1, 1), mask.view().sequences(1, 1));
  const MeanLoss part = mean_square(y.sequences(1, 1).chunk(0, 2), target.sequences(1, 1).chunk(0, 2));
  EXPECT_EQ(whole.count, part.count);
  EXPECT_NEAR(whole.loss, part.loss, 1e-15);
}

TEST(MeanSquare, UnderAMaskThatIgnoresNothingOrAll) {
  Example<float> example;
  Sequence<float>&y = example.y, &target = example.target, &dy = example.dy;
  const double loss = mean_square(y, target, dy).loss;
  const Matrix<float> gradient = to_matrix(dy.view());
  EXPECT_EQ(mean_square(y, target, filled(1, 5, 2, std::uint8_t{1}), dy).loss, loss);
  EXPECT_TRUE(equal<float>(to_matrix(dy.view()), gradient));
  const MeanLoss none = mean_square(y, target, filled(1, 5, 2, std::uint8_t{0}), dy);
  EXPECT_EQ(none.loss, 0);
  EXPECT_EQ(none.count, 0);
  EXPECT_TRUE(to_matrix(dy.view()).isZero(0));
}

TEST(MeanSquare, TakesWhateverIsASequence) {
  Example<float> example;
  Sequence<float>&y = example.y, &target = example.target, &dy = example.dy;
  const double loss = mean_square(y, target).loss;
  EXPECT_EQ(mean_square(y.view(), target.view()).loss, loss);
  EXPECT_EQ(mean_square(std::as_const(y).view(), std::as_const(target)).loss, loss);
  const Eigen::Tensor<float, 3> tensor = y.view().tensor(), target_tensor = target.view().tensor();
  EXPECT_EQ(mean_square(tensor, target_tensor).loss, loss);
  EXPECT_EQ(mean_square(tensor, target_tensor, dy).loss, loss);
  EXPECT_EQ(mean_square(y.view().tensor(), target).loss, loss);
}

TEST(MeanSquare, SaysWhatIsWrong) {
  Example<float> example;
  Sequence<float>&y = example.y, &target = example.target, &dy = example.dy;
  const auto message = [&](Index features, Index time, Index batch) -> std::string {
    try {
      mean_square(y, target, filled(features, time, batch, std::uint8_t{1}), dy);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_EQ(message(1, 5, 2), "nothing thrown");
  EXPECT_EQ(message(3, 5, 2), "mean_square: mask: wanted (F, T, B) = (1, 5, 2), given (3, 5, 2)");
  EXPECT_EQ(message(1, 4, 2), "mean_square: mask: wanted (F, T, B) = (1, 5, 2), given (1, 4, 2)");
  EXPECT_EQ(message(1, 5, 1), "mean_square: mask: wanted (F, T, B) = (1, 5, 2), given (1, 5, 1)");
  const SequenceView<const std::uint8_t> missing(nullptr, 1, 5, 2);
  EXPECT_THROW(mean_square(y, target, missing), std::invalid_argument);
}

TEST(MeanSquare, OfNothingIsZeroAndOfNoMemoryAnError) {
  Sequence<float> dy;
  const SequenceView<const float> empty(nullptr, 3, 0, 2), missing(nullptr, 3, 1, 2);
  EXPECT_EQ(mean_square(empty, empty, dy).loss, 0);
  const Sequence<float> y = filled(3, 1, 2, 1.0f);
  EXPECT_THROW(mean_square(missing, y.view(), dy), std::invalid_argument);
  EXPECT_THROW(mean_square(y.view(), missing, dy), std::invalid_argument);
  EXPECT_THROW(mean_square(y.view(), empty, dy), std::invalid_argument);
}

TEST(MeanSquare, GivesTheSameBitsOnAnyExecutor) {
  Random random(6);
  for (const auto& [time, batch] : {std::pair<Index, Index>{150, 40}, {5000, 2}}) {
    Sequence<float> y(3, time, batch), target(3, time, batch), dy;
    for (Sequence<float>* sequence : {&y, &target})
      for (Index i = 0; i < sequence->size(); ++i) sequence->data()[i] = static_cast<float>(random.normal());
    const double alone = mean_square(y, target, dy).loss;
    const Matrix<float> gradient_alone = to_matrix(dy.view());
    Sequence<std::uint8_t> mask(1, time, batch);
    for (Index i = 0; i < mask.size(); ++i) mask.data()[i] = static_cast<std::uint8_t>(random.below(2));
    const double masked = mean_square(y, target, mask, dy).loss;
    const Matrix<float> gradient_masked = to_matrix(dy.view());
    for (const Index workers : {1, 2, 3, 5}) {
      ThreadPool pool(workers, 0);
      const Context context{.executor = &pool};
      EXPECT_EQ(mean_square(y, target, dy, context).loss, alone) << workers;
      EXPECT_TRUE(equal<float>(to_matrix(dy.view()), gradient_alone)) << workers;
      EXPECT_EQ(mean_square(y, target, context).loss, alone) << workers;
      EXPECT_EQ(mean_square(y, target, mask, dy, context).loss, masked) << workers;
      EXPECT_TRUE(equal<float>(to_matrix(dy.view()), gradient_masked)) << workers;
      EXPECT_EQ(mean_square(y, target, mask, context).loss, masked) << workers;
    }
  }
}

/// Some of them 0, and runs of equal ones.
template <class S>
Sequence<S> some_weights(Index time, Index batch) {
  Sequence<S> weights(1, time, batch);
  for (Index i = 0; i < weights.size(); ++i) weights.data()[i] = static_cast<S>(i % 7 < 3 ? 2 : i % 4) / 4;
  return weights;
}

TEST(MeanSquare, WithWeightsFollowsItsEquationAndItsGradientIsItsSlope) {
  Example<double> example;
  Sequence<double>&y = example.y, &target = example.target, &dy = example.dy;
  const auto weights = some_weights<double>(5, 2);
  double sum = 0, sum_of_weights = 0;
  Index count = 0;
  for (Index i = 0; i < 30; ++i) {
    const double weight = weights.data()[i / 3];
    sum += weight * std::pow(y.data()[i] - target.data()[i], 2);
    sum_of_weights += weight;
    count += weight > 0;
  }
  ASSERT_LT(count, 30);
  const MeanLoss found = mean_square(y, target, Weights(weights), dy);
  EXPECT_NEAR(found.loss, sum / sum_of_weights, 1e-14);
  EXPECT_EQ(found.count, count);
  EXPECT_EQ(found.weight, sum_of_weights) << "of multiples of a quarter";
  EXPECT_EQ(mean_square(y, target, Weights(weights)).loss, found.loss) << "without a gradient";
  for (Index i = 0; i < 30; ++i)  // of a square, whose central difference is exact but for rounding
    EXPECT_NEAR(dy.data()[i],
                central_difference(y.data()[i], 1e-3, [&] { return mean_square(y, target, Weights(weights)).loss; }),
                1e-12);
}

TEST(MeanSquare, OfWeightsThatAreAMaskIsThatOfTheMask) {
  Example<float> example;
  Sequence<float>&y = example.y, &target = example.target, &dy = example.dy;
  const auto mask = padding();
  auto weights = filled(1, 5, 2, 0.0f);
  for (Index i = 0; i < 10; ++i) weights.data()[i] = mask.data()[i] != 0 ? 1 : 0;
  const MeanLoss wanted = mean_square(y, target, mask, dy);
  const Matrix<float> gradient = to_matrix(dy.view());
  for (Index i = 0; i < 30; ++i)
    if (mask.data()[i / 3] == 0) y.data()[i] = std::numeric_limits<float>::quiet_NaN();
  const MeanLoss found = mean_square(y, target, Weights(weights), dy);
  EXPECT_EQ(found.loss, wanted.loss);
  EXPECT_EQ(found.count, wanted.count);
  EXPECT_EQ(found.weight, wanted.weight);
  EXPECT_TRUE(equal<float>(to_matrix(dy.view()), gradient));
  EXPECT_EQ(mean_square(y, target, Weights(filled(1, 5, 2, 0.0f)), dy).loss, 0);
  EXPECT_TRUE(to_matrix(dy.view()).isZero(0));
}

TEST(MeanSquare, RefusesWeightsThatAreNone) {
  Example<float> example;
  for (const float bad : {-1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto weights = filled(1, 5, 2, 1.0f);
    weights.data()[7] = bad;
    EXPECT_THROW(mean_square(example.y, example.target, Weights(weights), example.dy), std::invalid_argument) << bad;
  }
  EXPECT_THROW(mean_square(example.y, example.target, Weights(filled(1, 4, 2, 1.0f))), std::invalid_argument);
}

}  // namespace
}  // namespace minrnn::tests
