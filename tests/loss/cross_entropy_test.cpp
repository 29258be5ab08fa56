// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/loss/cross_entropy.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "support/compare.hpp"

namespace minrnn::tests {
namespace {

/// One frame of logits against one target.
template <class S>
struct OneFrame {
  Sequence<S> logits, gradient;
  std::int32_t target;

  OneFrame(Index classes, std::int32_t of) : logits(classes, 1, 1), target(of) {
    std::fill_n(logits.data(), classes, S(0));
  }
  double loss() {
    const SequenceView<const std::int32_t> targets(&target, 1, 1, 1);
    const CrossEntropy with = softmax_cross_entropy<S>(logits.view(), targets, gradient);
    const double alone = softmax_cross_entropy<S>(logits.view(), targets).loss;
    EXPECT_TRUE(alone == with.loss || std::isnan(with.loss)) << alone << " and " << with.loss;
    return with.loss;
  }
};

TEST(SoftmaxCrossEntropy, OfManyClassesIsSummedInDouble) {
  constexpr Index kClasses = 65536;
  OneFrame<float> frame(kClasses, 77);
  frame.logits.data()[77] = 20;
  const double others = (kClasses - 1) * std::exp(-20.0);
  EXPECT_NEAR(frame.loss() / std::log1p(others), 1, 1e-6);  // 1.35e-4; an exponential is right to 1.2 eps
  EXPECT_NEAR(frame.gradient.data()[77] / (-others / (1 + others)), 1, 1e-6);
  EXPECT_NEAR(frame.gradient.data()[0] / (std::exp(-20.0) / (1 + others)), 1, 1e-6);
  double sum = 0;
  for (Index v = 0; v < kClasses; ++v) sum += static_cast<double>(frame.gradient.data()[v]);
  EXPECT_NEAR(sum, 0, 1e-10) << "the gradient of a shift of all logits";

  frame.target = 5;
  EXPECT_NEAR(frame.loss(), 20 + std::log1p(others), 1e-6 * 20);
}

TEST(SoftmaxCrossEntropy, KeepsItsDigitsWhereTheTargetIsAlmostCertain) {
  for (const float margin : {10.0f, 30.0f, 80.0f}) {
    OneFrame<float> frame(3, 1);
    frame.logits.data()[1] = margin;
    const double others = 2 * std::exp(-static_cast<double>(margin));
    EXPECT_NEAR(frame.loss() / std::log1p(others), 1, 1e-6) << margin;
    EXPECT_NEAR(frame.gradient.data()[1] / (-others / (1 + others)), 1, 1e-6) << margin;
  }
}

TEST(SoftmaxCrossEntropy, AgreesWithItsEquationWhereverTheTargetStands) {
  Random random(3);
  for (const Index classes : {1, 2, 7, 8, 65, 1000}) {
    OneFrame<float> frame(classes, 0);
    for (Index v = 0; v < classes; ++v) frame.logits.data()[v] = static_cast<float>(3 * random.normal());
    long double whole = 0;
    for (Index v = 0; v < classes; ++v) whole += std::exp(static_cast<long double>(frame.logits.data()[v]));
    for (const Index target : {Index{0}, classes / 2, classes - 1}) {
      frame.target = static_cast<std::int32_t>(target);
      const auto logit = static_cast<long double>(frame.logits.data()[target]);
      const double wanted = static_cast<double>(std::log(whole) - logit);
      EXPECT_NEAR(frame.loss(), wanted, 1e-6 * std::max(wanted, 0.1));  // a float's exponentials, some of them small
      for (Index v = 0; v < classes; ++v) {
        const long double p = std::exp(static_cast<long double>(frame.logits.data()[v])) / whole;
        EXPECT_NEAR(frame.gradient.data()[v], static_cast<double>(p - (v == target)), 3e-7) << v;  // of numbers up to 1
      }
    }
  }
}

TEST(SoftmaxCrossEntropy, OfLogitsAnywhereInTheRangeIsFinite) {
  constexpr float kMost = std::numeric_limits<float>::max();
  OneFrame<float> frame(3, 0);
  frame.logits.data()[0] = -kMost;
  frame.logits.data()[2] = kMost;
  EXPECT_DOUBLE_EQ(frame.loss(), 2 * static_cast<double>(kMost));
  EXPECT_EQ(frame.gradient.data()[0], -1);
  EXPECT_EQ(frame.gradient.data()[2], 1);
  frame.target = 2;
  EXPECT_EQ(frame.loss(), 0);
  EXPECT_EQ(frame.gradient.data()[2], 0);
  frame.logits.data()[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(frame.loss()));
}

TEST(SoftmaxCrossEntropy, OfAnInfiniteTargetIsNoNumberNorIsItsGradient) {
  OneFrame<float> frame(3, 2);
  frame.logits.data()[2] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isnan(frame.loss()));
  EXPECT_TRUE(std::isnan(frame.gradient.data()[2])) << "not 0, which says that all is learnt";
}

TEST(SoftmaxCrossEntropy, IgnoresNegativeTargetsAndTakesNoFrameAtAll) {
  Sequence<float> logits(4, 3, 1), gradient;
  for (Index i = 0; i < 12; ++i) logits.data()[i] = static_cast<float>(i % 5);
  const std::vector<std::int32_t> targets{-1, 2, -1}, none{-1, -1, -1};
  const auto view = [](const std::vector<std::int32_t>& of) {
    return SequenceView<const std::int32_t>(of.data(), 1, 3, 1);
  };
  EXPECT_EQ(softmax_cross_entropy<float>(logits.view(), view(targets), gradient).count, 1);
  EXPECT_EQ(gradient.view().matrix(0).col(0).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(softmax_cross_entropy<float>(logits.view(), view(none), gradient).loss, 0);
  EXPECT_EQ(gradient.view().matrix(0).cwiseAbs().maxCoeff(), 0);
  const SequenceView<const float> empty(nullptr, 4, 0, 2);
  const CrossEntropy of_none =
      softmax_cross_entropy<float>(empty, SequenceView<const std::int32_t>(nullptr, 1, 0, 2), gradient);
  EXPECT_EQ(of_none.loss, 0);
  EXPECT_EQ(of_none.count, 0);
}

TEST(SoftmaxCrossEntropy, GivesTheSameBitsOnAnyExecutor) {
  Sequence<float> logits(19, 150, 7), gradient;
  Sequence<std::int32_t> targets(1, 150, 7);
  Random random(6);
  for (Index i = 0; i < logits.size(); ++i) logits.data()[i] = static_cast<float>(3 * random.normal());
  for (Index i = 0; i < targets.size(); ++i) targets.data()[i] = static_cast<std::int32_t>(random.below(20)) - 1;
  const SequenceView<const float> from = logits;
  const double alone = softmax_cross_entropy(from, targets, gradient).loss;
  const Matrix<float> gradient_alone = to_matrix(gradient.view());
  for (const Index workers : {1, 2, 3, 5}) {
    ThreadPool pool(workers);
    const Context context{.executor = &pool};
    EXPECT_EQ(softmax_cross_entropy(from, targets, gradient, context).loss, alone) << workers;
    EXPECT_TRUE(equal<float>(to_matrix(gradient.view()), gradient_alone)) << workers;
    EXPECT_EQ(softmax_cross_entropy(from, targets, context).loss, alone) << workers;
  }
}

TEST(SoftmaxCrossEntropy, SaysWhatIsWrong) {
  Sequence<float> gradient;
  const std::vector<float> logits(12);
  const std::vector<std::int32_t> targets(3), beyond{0, 4, 0};
  const auto message = [&](const float* data, Index classes, const std::int32_t* of, Index time) -> std::string {
    try {
      softmax_cross_entropy<float>(SequenceView<const float>(data, classes, 3, 1),
                                   SequenceView<const std::int32_t>(of, 1, time, 1), gradient);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_EQ(message(logits.data(), 4, targets.data(), 3), "nothing thrown");
  EXPECT_EQ(message(nullptr, 4, targets.data(), 3),
            "softmax_cross_entropy: logits: wanted (F, T, B) = (4, any, any), given a null pointer");
  EXPECT_EQ(message(logits.data(), 4, nullptr, 3),
            "softmax_cross_entropy: targets: wanted (F, T, B) = (1, 3, 1), given a null pointer");
  EXPECT_EQ(message(logits.data(), 0, targets.data(), 3),
            "softmax_cross_entropy: logits: wanted at least 1 class, given 0");
  EXPECT_EQ(message(logits.data(), 4, targets.data(), 2),
            "softmax_cross_entropy: targets: wanted (F, T, B) = (1, 3, 1), given (1, 2, 1)");
  EXPECT_EQ(message(logits.data(), 4, beyond.data(), 3),
            "softmax_cross_entropy: targets: wanted classes below 4, given 4");
}

}  // namespace
}  // namespace minrnn::tests
