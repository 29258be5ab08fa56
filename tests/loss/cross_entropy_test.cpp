// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/loss/cross_entropy.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/core/tensor.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "support/compare.hpp"
#include "support/difference.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

template <class S>
Sequence<S> random_logits(Index classes, Index time, Index batch, double deviation, std::uint64_t seed) {
  Random random(seed);
  Sequence<S> logits(classes, time, batch);
  for (Index i = 0; i < logits.size(); ++i) logits.data()[i] = static_cast<S>(deviation * random.normal());
  return logits;
}
/// Some are negative.
template <class Target>
Sequence<Target> random_targets(Index classes, Index time, Index batch, std::uint64_t seed) {
  Random random(seed);
  Sequence<Target> targets(1, time, batch);
  for (Index i = 0; i < targets.size(); ++i)
    targets.data()[i] = static_cast<Target>(random.below(static_cast<std::uint64_t>(classes) + 1)) - 1;
  return targets;
}

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
    const MeanLoss with = softmax_cross_entropy(logits.view(), targets, gradient);
    const double alone = softmax_cross_entropy(logits.view(), targets).loss;
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
  EXPECT_EQ(softmax_cross_entropy(logits.view(), view(targets), gradient).count, 1);
  EXPECT_EQ(gradient.view().matrix(0).col(0).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(softmax_cross_entropy(logits.view(), view(none), gradient).loss, 0);
  EXPECT_EQ(gradient.view().matrix(0).cwiseAbs().maxCoeff(), 0);
  const SequenceView<const float> empty(nullptr, 4, 0, 2);
  const MeanLoss of_none = softmax_cross_entropy(empty, SequenceView<const std::int32_t>(nullptr, 1, 0, 2), gradient);
  EXPECT_EQ(of_none.loss, 0);
  EXPECT_EQ(of_none.count, 0);
}

TEST(SoftmaxCrossEntropy, IsTheMeanOverTheTargetsThatCount) {
  const auto logits = random_logits<double>(11, 40, 5, 3, 2);
  const auto targets = random_targets<std::int32_t>(11, 40, 5, 4);
  Sequence<double> dlogits;
  const MeanLoss result = softmax_cross_entropy(logits, targets, dlogits);
  double sum = 0;
  Index count = 0;
  for (Index b = 0; b < 5; ++b)
    for (Index t = 0; t < 40; ++t) {
      const std::int32_t target = *targets.view().column(t, b);
      const Eigen::Map<const Eigen::ArrayXd> l(logits.view().column(t, b), 11);
      const Eigen::Map<const Eigen::ArrayXd> d(dlogits.view().column(t, b), 11);
      if (target < 0) {
        EXPECT_TRUE((d == 0).all());
        continue;
      }
      ++count;
      sum += std::log(l.exp().sum()) - l(target);
    }
  EXPECT_EQ(result.count, count);
  EXPECT_GT(count, 100);
  EXPECT_LT(count, 200) << "no target is ignored in this test";
  EXPECT_NEAR(result.loss, sum / static_cast<double>(count), 1e-13);
}

TEST(SoftmaxCrossEntropy, OfLogitsWhoseExponentialsAreNoNumbersIsFinite) {
  const auto logits = random_logits<float>(11, 3, 1, 1e4, 2);
  const auto targets = random_targets<std::int32_t>(11, 3, 1, 4);
  Sequence<float> dlogits;
  EXPECT_TRUE(std::isfinite(softmax_cross_entropy(logits, targets, dlogits).loss));
  EXPECT_TRUE(to_matrix(dlogits.view()).allFinite());
}

TEST(SoftmaxCrossEntropy, TakesTargetsOf64BitsAsThoseOf32) {
  const auto logits = random_logits<float>(11, 40, 5, 3, 2);
  auto narrow = random_targets<std::int32_t>(11, 40, 5, 4);
  auto wide = random_targets<std::int64_t>(11, 40, 5, 4);
  Sequence<float> of_narrow, of_wide;
  wide.data()[3] = std::numeric_limits<std::int64_t>::min();  // ignored, and not the 0 that its lower half would be
  narrow.data()[3] = -1;
  const MeanLoss result = softmax_cross_entropy(logits, narrow, of_narrow);
  EXPECT_EQ(softmax_cross_entropy(logits, wide, of_wide).loss, result.loss);
  EXPECT_EQ(softmax_cross_entropy(logits, wide).loss, result.loss);
  EXPECT_EQ(softmax_cross_entropy(logits, wide).count, result.count);
  EXPECT_TRUE(equal<float>(to_matrix(of_wide.view()), to_matrix(of_narrow.view())));

  wide.data()[3] = (std::int64_t{1} << 32) + 2;
  try {
    softmax_cross_entropy(logits, wide);
    ADD_FAILURE() << "nothing thrown";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "softmax_cross_entropy: targets: wanted classes below 11, given 4294967298");
  }
}

TEST(SoftmaxCrossEntropy, TakesWhateverIsASequence) {
  Sequence<double> logits = random_logits<double>(3, 4, 2, 1, 1), gradient;
  Sequence<std::int32_t> targets = random_targets<std::int32_t>(3, 4, 2, 2);
  const double loss = softmax_cross_entropy(logits, targets).loss;
  EXPECT_GT(loss, 0);
  EXPECT_EQ(softmax_cross_entropy(logits.view(), targets.view()).loss, loss);
  EXPECT_EQ(softmax_cross_entropy(std::as_const(logits).view(), std::as_const(targets)).loss, loss);
  const Eigen::Tensor<double, 3> tensor = logits.view().tensor();
  const Eigen::Tensor<std::int32_t, 3> target_tensor = targets.view().tensor();
  EXPECT_EQ(softmax_cross_entropy(tensor, target_tensor).loss, loss);
  EXPECT_EQ(softmax_cross_entropy(tensor, target_tensor, gradient).loss, loss);
  EXPECT_EQ(softmax_cross_entropy(logits.view().tensor(), targets).loss, loss);
}

TEST(SoftmaxCrossEntropy, GivesTheSameBitsOnAnyExecutor) {
  const auto from = random_logits<float>(19, 150, 7, 3, 6);
  const auto targets = random_targets<std::int32_t>(19, 150, 7, 7);
  Sequence<float> gradient;
  const double alone = softmax_cross_entropy(from, targets, gradient).loss;
  const Matrix<float> gradient_alone = to_matrix(gradient.view());
  for (const Index workers : {1, 2, 3, 5}) {
    ThreadPool pool(workers, 0);
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
      softmax_cross_entropy(SequenceView<const float>(data, classes, 3, 1),
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

TEST(SoftmaxCrossEntropy, WithWeightsFollowsItsEquationAndItsGradientIsItsSlope) {
  auto logits = random_logits<double>(5, 6, 2, 2, 2);
  const auto targets = random_targets<std::int32_t>(5, 6, 2, 4);
  Sequence<double> weights(1, 6, 2), dlogits;
  for (Index i = 0; i < 12; ++i) weights.data()[i] = static_cast<double>(i % 3) / 2;
  double sum = 0, sum_of_weights = 0;
  Index count = 0;
  for (Index i = 0; i < 12; ++i) {
    const std::int32_t target = targets.data()[i];
    const double weight = target < 0 ? 0 : weights.data()[i];
    const Eigen::Map<const Eigen::ArrayXd> l(logits.data() + 5 * i, 5);
    if (weight > 0) sum += weight * (std::log(l.exp().sum()) - l(target));
    sum_of_weights += weight;
    count += weight > 0;
  }
  ASSERT_TRUE(count > 3 && count < 12);
  const MeanLoss found = softmax_cross_entropy(logits, targets, Weights(weights), dlogits);
  EXPECT_NEAR(found.loss, sum / sum_of_weights, 1e-14);
  EXPECT_EQ(found.count, count);
  EXPECT_EQ(found.weight, sum_of_weights) << "of multiples of a half";
  const auto loss = [&] { return softmax_cross_entropy(logits, targets, Weights(weights)).loss; };
  EXPECT_EQ(loss(), found.loss) << "without a gradient";
  for (Index i = 0; i < logits.size(); ++i)  // differences of a smooth function, to rounding
    EXPECT_NEAR(dlogits.data()[i], central_difference(logits.data()[i], 1e-5, loss), 1e-9) << i;
  for (Index i = 0; i < 12; ++i)
    if (weights.data()[i] == 0) logits.data()[5 * i] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(loss(), found.loss) << "what counts nothing is not seen";
}

TEST(SoftmaxCrossEntropy, OfEqualWeightsIsThatWithoutThem) {
  const auto logits = random_logits<float>(19, 150, 7, 3, 6);
  const auto targets = random_targets<std::int64_t>(19, 150, 7, 7);
  Sequence<float> weights(1, 150, 7), dlogits;
  std::fill_n(weights.data(), weights.size(), 1.0f);
  const MeanLoss wanted = softmax_cross_entropy(logits, targets, dlogits);
  EXPECT_EQ(wanted.weight, static_cast<double>(wanted.count));
  const Matrix<float> gradient = to_matrix(dlogits.view());
  for (const Index workers : {1, 3}) {
    ThreadPool pool(workers, 0);
    const Context context{.executor = &pool};
    EXPECT_EQ(softmax_cross_entropy(logits, targets, Weights(weights), dlogits, context).loss, wanted.loss);
    EXPECT_TRUE(equal<float>(to_matrix(dlogits.view()), gradient));
    EXPECT_EQ(softmax_cross_entropy(logits, targets, Weights(weights), context).loss, wanted.loss);
  }
}

TEST(SoftmaxCrossEntropy, RefusesWeightsThatAreNone) {
  const auto logits = random_logits<float>(4, 3, 1, 1, 1);
  const std::vector<std::int32_t> targets{1, 2, 3};
  const SequenceView<const std::int32_t> view(targets.data(), 1, 3, 1);
  const std::vector<float> negative{1, -1, 1}, two{1, 1};
  const auto message = [&](const std::vector<float>& weights) {
    return message_of<std::invalid_argument>([&] {
      softmax_cross_entropy(
          logits, view, Weights(SequenceView<const float>(weights.data(), 1, static_cast<Index>(weights.size()), 1)));
    });
  };
  EXPECT_EQ(message(negative), "softmax_cross_entropy: weights: wanted finite numbers of at least 0, given -1.000000");
  EXPECT_EQ(message(two), "softmax_cross_entropy: weights: wanted (F, T, B) = (1, 3, 1), given (1, 2, 1)");
}

}  // namespace
}  // namespace minrnn::tests
