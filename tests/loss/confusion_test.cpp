// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/loss/confusion.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "support/compare.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

/// Logits (3, 1, N) of which each answer is one of the classes given.
Matrix<float> logits_of(const std::vector<Index>& given) {
  Matrix<float> logits = Matrix<float>::Zero(3, static_cast<Index>(given.size()));
  for (std::size_t n = 0; n < given.size(); ++n) logits(given[n], static_cast<Index>(n)) = 1;
  return logits;
}
template <class Target>
SequenceView<const Target> view(const std::vector<Target>& targets) {
  return {targets.data(), 1, static_cast<Index>(targets.size()), 1};
}

template <class Target>
void expect_counts() {
  Confusion confusion(3);
  const std::vector<Target> targets{0, 0, 1, 1, 1, 2, -1}, more{2};
  confusion.add(logits_of({0, 1, 1, 1, 0, 0, 2}), view(targets));
  EXPECT_EQ(confusion.count(), 6) << "a negative target is ignored";
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 3.0 / 6);
  confusion.add(logits_of({2}), view(more));  // a second batch
  EXPECT_TRUE(equal<std::int64_t>(confusion.counts(), (Matrix<std::int64_t>{{1, 1, 0}, {1, 2, 0}, {1, 0, 1}})));
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(confusion.precision(0), 1.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 1.0 / 2);
  EXPECT_DOUBLE_EQ(confusion.precision(1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.recall(1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.precision(2), 1);
  EXPECT_DOUBLE_EQ(confusion.recall(2), 1.0 / 2);
  confusion.clear();
  EXPECT_EQ(confusion.count(), 0);
}

TEST(Confusion, CountsWhatWasGivenForWhichTarget) {
  expect_counts<std::int32_t>();
  expect_counts<std::int64_t>();
}

TEST(Confusion, OfNothingIsZero) {
  Confusion confusion(3);
  const std::vector<std::int32_t> none{-1};
  confusion.add(logits_of({1}), view(none));
  EXPECT_EQ(confusion.count(), 0);
  EXPECT_EQ(confusion.accuracy(), 0);
  EXPECT_EQ(confusion.precision(2), 0);
  EXPECT_EQ(confusion.recall(2), 0);
}

TEST(Confusion, TakesTheFirstOfEqualLogitsAndNoNaN) {
  Confusion confusion(3);
  Matrix<float> logits = logits_of({1, 0});
  logits(2, 0) = 1;
  logits(2, 1) = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::int32_t> targets{1, 0};
  confusion.add(logits, view(targets));
  EXPECT_EQ(confusion.counts()(1, 1), 1);
  EXPECT_EQ(confusion.counts().sum(), 1) << "what is no number is no class";
  EXPECT_EQ(confusion.count(), 2);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.5) << "and wrong";
  EXPECT_EQ(confusion.recall(0), 0);
}

TEST(Confusion, RefusesWhatDoesNotFitAndCountsNothingThen) {
  Confusion confusion(3);
  const std::vector<std::int64_t> beyond{0, 3};
  EXPECT_EQ(message_of<std::invalid_argument>([&] {
              confusion.add(logits_of({0, 0}), view(beyond));
            }),
            "Confusion: targets: wanted classes below 3, given 3");
  EXPECT_THROW(confusion.add(logits_of({0}), view(beyond)), std::invalid_argument);
  EXPECT_THROW(confusion.add(Matrix<float>::Zero(2, 2).eval(), view(beyond)), std::invalid_argument);
  EXPECT_EQ(confusion.count(), 0);
  EXPECT_THROW(confusion.recall(3), std::invalid_argument);
  EXPECT_THROW(confusion.precision(-1), std::invalid_argument);
  EXPECT_THROW(Confusion(0), std::invalid_argument);
}

}  // namespace
}  // namespace minrnn::tests
