// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/sequence_batch.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "minrnn/core/placement.hpp"
#include "minrnn/core/random.hpp"
#include "support/compare.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

std::vector<Matrix<float>> sequences_of(const std::vector<Index>& lengths, Index features = 2) {
  Random random(3);
  std::vector<Matrix<float>> list;
  for (const Index frames : lengths) list.push_back(random_matrix<float>(features, frames, random));
  return list;
}

/// Every frame of the block is that of one sequence, or padding; a sequence and padding begin with a start.
void expect_whole(const SequenceBatch<float>& batch, const std::vector<Matrix<float>>& list) {
  const SequenceView<const float> x = batch.x();
  Matrix<int> owners = Matrix<int>::Zero(x.time(), x.batch()), starts = owners;
  ASSERT_EQ(batch.size(), static_cast<Index>(list.size()));
  Index frames = 0;
  for (std::size_t n = 0; n < list.size(); ++n) {
    const Placement place = batch.places()[n];
    ASSERT_EQ(place.frames, list[n].cols());
    ASSERT_LE(place.last(), x.time() - 1);
    EXPECT_TRUE(equal<float>(x.matrix(place.row).middleCols(place.first, place.frames), list[n]));
    owners.col(place.row).segment(place.first, place.frames).array() += 1;
    starts(place.first, place.row) = 1;
    frames += place.frames;
  }
  EXPECT_EQ(batch.frames(), frames);
  for (Index b = 0; b < x.batch(); ++b)
    for (Index t = 0; t < x.time(); ++t) {
      EXPECT_LE(owners(t, b), 1) << "two sequences in one place";
      const bool is_padding = owners(t, b) == 0;
      if (is_padding && t > 0 && owners(t - 1, b) == 1) starts(t, b) = 1;
      EXPECT_EQ(x.starts(t, b), starts(t, b) == 1) << t << ", " << b;
      EXPECT_EQ(*batch.mask().column(t, b), is_padding ? 0 : 1);
      if (!is_padding) continue;
      EXPECT_EQ(Eigen::Map<const Eigen::VectorXf>(x.column(t, b), x.features()).cwiseAbs().maxCoeff(), 0);
      EXPECT_TRUE(t > 0) << "an empty row";
    }
}

std::vector<std::vector<Index>> places_of(const SequenceBatch<float>& batch) {
  std::vector<std::vector<Index>> places;
  for (const Placement& place : batch.places()) places.push_back({place.row, place.first});
  return places;
}

TEST(SequenceBatch, PadsToTheLongest) {
  const auto list = sequences_of({3, 5, 1});
  SequenceBatch<float> batch;
  batch.pad(list);
  expect_whole(batch, list);
  EXPECT_EQ(batch.x().time(), 5);
  EXPECT_EQ(places_of(batch), (std::vector<std::vector<Index>>{{0, 0}, {1, 0}, {2, 0}}));
}

TEST(SequenceBatch, PacksTheLongestFirstWhereTheyFitFirst) {
  const auto list = sequences_of({3, 7, 1, 5, 2, 2});
  SequenceBatch<float> batch;
  batch.pack(list);
  expect_whole(batch, list);
  EXPECT_EQ(batch.x().time(), 7);
  EXPECT_EQ(places_of(batch), (std::vector<std::vector<Index>>{{2, 0}, {0, 0}, {2, 5}, {1, 0}, {1, 5}, {2, 3}}));
  batch.pack(list, {.time = 100});
  expect_whole(batch, list);
  EXPECT_EQ(batch.x().batch(), 1);
  EXPECT_EQ(batch.x().time(), 20) << "and not a frame more";
  batch.pack(list, {.time = 2});
  EXPECT_EQ(batch.x().time(), 7) << "no sequence is cut";
}

TEST(SequenceBatch, PacksInOrderWhereTold) {
  const auto list = sequences_of({3, 7, 1, 5, 2, 2});
  SequenceBatch<float> batch;
  batch.pack(list, {.in_order = true});
  expect_whole(batch, list);
  EXPECT_EQ(places_of(batch), (std::vector<std::vector<Index>>{{0, 0}, {1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 2}}));
}

TEST(SequenceBatch, LosesNoFrameOfAnyLengths) {
  Random random(5);
  SequenceBatch<float> batch;
  for (int repeat = 0; repeat < 30; ++repeat) {
    std::vector<Index> lengths(1 + static_cast<std::size_t>(random.below(40)));
    for (Index& frames : lengths) frames = 1 + static_cast<Index>(random.below(20));
    const auto list = sequences_of(lengths, 3);
    batch.pad(list);
    expect_whole(batch, list);
    for (const bool in_order : {false, true}) {
      batch.pack(list, {.time = static_cast<Index>(random.below(60)), .in_order = in_order});
      expect_whole(batch, list);
    }
  }
}

TEST(SequenceBatch, TakesWhateverIsAListOfSequences) {
  const auto list = sequences_of({3, 5});
  std::vector<SequenceView<const float>> views(list.begin(), list.end());
  SequenceBatch<float> batch, other;
  batch.pack(list);
  const Matrix<float> wanted = to_matrix(batch.x());
  const auto expect_same = [&] { EXPECT_TRUE(equal<float>(to_matrix(other.x()), wanted)); };
  other.pack(views);
  expect_same();
  other.pack(std::span(views).first(2));
  expect_same();
  other.pack({list[0], list[1]});
  expect_same();
  other.pack(sequences_of({3, 5}));  // a list that ends with the call
  expect_same();
}

TEST(SequenceBatch, KeepsTheStartsWithinASequence) {
  const auto list = sequences_of({4, 2});
  const std::vector<std::uint8_t> starts{0, 0, 1, 0};
  SequenceBatch<float> batch;
  batch.pad({SequenceView<const float>(list[0]).with_starts(starts.data()), list[1]});
  const std::vector<bool> wanted{true, false, true, false};
  for (Index t = 0; t < 4; ++t) EXPECT_EQ(batch.x().starts(t, 0), wanted[static_cast<std::size_t>(t)]) << t;
}

TEST(SequenceBatch, TakesTokens) {
  SequenceBatch<std::int32_t> batch;
  batch.pad(std::vector<Matrix<std::int32_t>>{Matrix<std::int32_t>{{1, 2}}, Matrix<std::int32_t>{{3, 4, 5}}});
  EXPECT_EQ(to_matrix(batch.x()), (Matrix<std::int32_t>{{1, 2, 0, 3, 4, 5}}));
  EXPECT_TRUE(batch.x().starts(2, 0));
}

TEST(SequenceBatch, ArrangesTargetsAsItsFrames) {
  const auto list = sequences_of({2, 3, 1});
  const std::vector<Matrix<std::int32_t>> targets{Matrix<std::int32_t>{{1, 2}}, Matrix<std::int32_t>{{3, 4, 5}},
                                                  Matrix<std::int32_t>{{6}}};
  SequenceBatch<float> batch;
  Sequence<std::int32_t> arranged;
  batch.pack(list);
  EXPECT_EQ(to_matrix(batch.arrange(targets, -1, arranged)), (Matrix<std::int32_t>{{3, 4, 5, 1, 2, 6}}));
  batch.pad(list);
  EXPECT_EQ(to_matrix(batch.arrange(targets, -1, arranged)), (Matrix<std::int32_t>{{1, 2, -1, 3, 4, 5, 6, -1, -1}}));
  EXPECT_EQ(message_of<std::invalid_argument>([&] {
              batch.arrange(std::vector{targets[0], targets[1]}, -1, arranged);
            }),
            "SequenceBatch::arrange: list: wanted of 3 sequences, given 2");
  EXPECT_EQ(message_of<std::invalid_argument>([&] {
              batch.arrange(std::vector{targets[0], targets[2], targets[1]}, -1, arranged);
            }),
            "1: SequenceBatch::arrange: list: wanted (F, T, B) = (1, 3, 1), given (1, 1, 1)");
}

TEST(SequenceBatch, UsesItsMemoryAgain) {
  SequenceBatch<float> batch;
  batch.pack(sequences_of({9, 8, 7}));
  const float* data = batch.x().data();
  batch.pack(sequences_of({7, 8}));
  EXPECT_EQ(batch.x().data(), data);
  batch.pad(sequences_of({6, 1}));
  EXPECT_EQ(batch.x().data(), data);
}

TEST(SequenceBatch, RefusesWhatIsNoListAndStaysAsItWas) {
  const auto list = sequences_of({3, 5});
  SequenceBatch<float> batch;
  batch.pack(list);
  const Matrix<float> wide = Matrix<float>::Zero(3, 4), empty(2, 0);
  const Sequence<float> two(2, 3, 2);
  const SequenceView<const float> none(nullptr, 2, 4, 1);
  const auto message = [&](auto&&... with) {
    return message_of<std::invalid_argument>([&] { batch.pack({list[0], with...}); });
  };
  EXPECT_EQ(message(wide), "1: SequenceBatch::pack: list: wanted (F, T, B) = (2, any, 1), given (3, 4, 1)");
  EXPECT_EQ(message(empty), "1: SequenceBatch::pack: list: wanted sequences of at least 1 frame, given one of none");
  EXPECT_EQ(message(list[1], two), "2: SequenceBatch::pack: list: wanted (F, T, B) = (2, any, 1), given (2, 3, 2)");
  EXPECT_EQ(message(none), "1: SequenceBatch::pack: list: wanted (F, T, B) = (2, any, 1), given a null pointer");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { batch.pad(std::vector<Matrix<float>>()); }),
            "SequenceBatch::pad: list: wanted at least 1 sequence, given 0");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { batch.pack(list, {.time = -1}); }),
            "SequenceBatch::pack: time: wanted at least 0 frames, given -1");
  expect_whole(batch, list);
}

TEST(Placement, ScatterIsTheAdjointOfGather) {
  Random random(1);
  const std::vector<Placement> places{{1, 0, 4}, {0, 0, 2}, {0, 2, 1}};
  const Sequence<double> y = random_sequence<double>(3, 4, 2, random), d = random_sequence<double>(3, 1, 3, random);
  Output<double> answers, dy;
  const auto last = gather_last(std::span<const Placement>(places), y, answers);
  for (const auto& [n, t, b] : {std::array<Index, 3>{0, 3, 1}, {1, 1, 0}, {2, 2, 0}})
    EXPECT_TRUE(equal<double>(last.matrix(n), y.view().matrix(b).col(t)));
  const auto spread = scatter_last(std::span<const Placement>(places), d, 4, 2, dy);
  EXPECT_NEAR(to_matrix(spread).cwiseProduct(to_matrix(y.view())).sum(),
              to_matrix(last).cwiseProduct(to_matrix(d.view())).sum(), 1e-14);  // nine products in another order
  EXPECT_EQ(to_matrix(spread).cwiseAbs().colwise().maxCoeff().cwiseSign().sum(), 3) << "of frames that are not 0";
}

TEST(Placement, RefusesPlacesOutside) {
  const Sequence<double> y(3, 4, 2), d(3, 1, 1);
  Output<double> to;
  for (const Placement& place : {Placement{2, 0, 1}, Placement{0, 2, 3}, Placement{-1, 0, 1}, Placement{0, 0, 0}}) {
    const std::span<const Placement> places(&place, 1);
    EXPECT_THROW(gather_last(places, y, to), std::invalid_argument);
    EXPECT_THROW(scatter_last(places, d, 4, 2, to), std::invalid_argument);
  }
  const Placement good{1, 1, 2};
  EXPECT_THROW(scatter_last(std::span(&good, 1), y, 4, 2, to), std::invalid_argument);
}

}  // namespace
}  // namespace minrnn::tests
