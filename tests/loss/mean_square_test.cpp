// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/loss/mean_square.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "minrnn/core/random.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "support/compare.hpp"

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
    EXPECT_NEAR(mean_square(y.view(), target.view(), dy) / (4 * wide * wide), 1, 1e-14) << size;
    EXPECT_NEAR(static_cast<double>(dy.data()[7]) / (4 * wide / 30), 1, 1e-7) << size;
  }
  // One element of 1 and a million of 1e-4, whose squares a float would lose one by one.
  Sequence<float> y = filled(1, 1 << 20, 1, 1e-4f), target = filled(1, 1 << 20, 1, 0.0f);
  y.data()[0] = 1;
  const double small = static_cast<double>(1e-4f), count = 1 << 20;
  EXPECT_NEAR(mean_square(y.view(), target.view(), dy) / ((1 + (count - 1) * small * small) / count), 1, 1e-12);
}

TEST(MeanSquare, OfDoublesIsFiniteWhereverTheMeanIs) {
  Sequence<double> y = filled(4, 250, 1, 0.0), target = filled(4, 250, 1, 0.0), dy;
  y.data()[17] = 1e155;
  EXPECT_NEAR(mean_square(y.view(), target.view(), dy) / 1e307, 1, 1e-14);
  EXPECT_NEAR(dy.data()[17] / 2e152, 1, 1e-14);
}

TEST(MeanSquare, OfNothingIsZeroAndOfNoMemoryAnError) {
  Sequence<float> dy;
  const SequenceView<const float> empty(nullptr, 3, 0, 2), missing(nullptr, 3, 1, 2);
  EXPECT_EQ(mean_square(empty, empty, dy), 0);
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
    const double alone = mean_square(y.view(), target.view(), dy);
    const Matrix<float> gradient_alone = to_matrix(dy.view());
    for (const Index workers : {1, 2, 3, 5}) {
      ThreadPool pool(workers);
      EXPECT_EQ(mean_square(y.view(), target.view(), dy, {.executor = &pool}), alone) << workers;
      EXPECT_TRUE(equal<float>(to_matrix(dy.view()), gradient_alone)) << workers;
    }
  }
}

}  // namespace
}  // namespace minrnn::tests
