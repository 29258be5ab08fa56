// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/attention/sliding_window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

namespace minrnn::tests {
namespace {

using detail::SlidingWindow;

constexpr Index kPeriod = 16;

TEST(SlidingWindow, FramesThatAreSeenTogetherStandAtDifferentPlacesOfTheRing) {
  for (const Index size : {1, 2, 3, 5, 8}) {
    const SlidingWindow window(size, kPeriod);
    EXPECT_GE(window.ring(), size);
    EXPECT_LT(window.ring(), 2 * size);
    std::vector<Index> past;  // places, the latest last
    Index position = 0;
    for (Index t = 0; t < 5 * kPeriod; ++t, position = window.next(position)) {
      past.push_back(window.place(position));
      const Index before = window.before(position);
      EXPECT_EQ(before, std::min(t, size - 1));
      EXPECT_EQ(std::set(past.end() - (before + 1), past.end()).size(), static_cast<std::size_t>(before + 1));
      for (Index j = 0; j <= before; ++j) EXPECT_EQ(past.end()[-1 - j], window.place(position - j)) << "frame " << t;
      EXPECT_EQ(position % kPeriod, t % kPeriod);
    }
  }
}

TEST(SlidingWindow, APositionIsWithinItsRangeWhateverAStateHolds) {
  const SlidingWindow window(3, kPeriod);
  const Index last = kPeriod + window.ring() - 1;
  EXPECT_EQ(window.position_of(7.0F), 7);
  EXPECT_EQ(window.position_of(6.9F), 7);
  EXPECT_EQ(window.position_of(-1.0F), 0);
  EXPECT_EQ(window.position_of(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(window.position_of(1e30F), last);
  EXPECT_EQ(window.position_of(std::numeric_limits<float>::infinity()), last);
}

/// Sequences without a past, with a short and a long one, with and without starts, counted frame by frame.
TEST(SlidingWindow, FramesOfACallSeeWhatAListOfThemSays) {
  const Index time = 3 * kPeriod, batch = 3, past[] = {0, 2, 3 * kPeriod};
  for (const Index size : {1, 3, 4, 7}) {
    const SlidingWindow window(size, kPeriod);
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(time * batch), 0);
    for (const Index t : {5, 6, 21}) starts[static_cast<std::size_t>(t)] = 1;  // of sequence 0 alone
    starts[static_cast<std::size_t>(2 * time)] = 1;
    const auto x = SequenceView<const double>(nullptr, 0, time, batch).with_starts(starts.data());
    Matrix<double> positions = Matrix<double>::Zero(1, batch);
    for (Index b = 0; b < batch; ++b) {
      Index position = 0;
      for (Index t = 0; t < past[b]; ++t) position = window.next(position);
      positions(0, b) = static_cast<double>(position);
    }
    SlidingWindow::Frames frames;
    frames.fill(window, x, FrameView<const double>(positions));
    EXPECT_EQ(frames.time(), time);
    EXPECT_EQ(frames.batch(), batch);
    EXPECT_EQ(frames.earlier(), size - 1);
    EXPECT_EQ(frames.least_position(), 0);
    for (Index b = 0; b < batch; ++b) {
      Index count = past[b], started = -1;                                      // frames since the last start
      std::vector<Index> in_ring(static_cast<std::size_t>(window.ring()), -1);  // the frame of this call at each place
      EXPECT_EQ(frames.entry(b).earlier, std::min(past[b], size - 1));
      for (Index t = 0; t < time; ++t, ++count) {
        if (x.starts(t, b)) {
          count = 0;
          started = t;
          std::fill(in_ring.begin(), in_ring.end(), -1);
        }
        EXPECT_EQ(frames.positions(b)[t] % kPeriod, count % kPeriod);
        EXPECT_EQ(frames.earlier() + t - frames.first_keys(b)[t], std::min(count, size - 1));
        in_ring[static_cast<std::size_t>(window.place(frames.positions(b)[t]))] = t;
      }
      EXPECT_EQ(frames.entry(b).started, started);
      for (Index t = 0; t < time; ++t)
        EXPECT_EQ(std::count(in_ring.begin(), in_ring.end(), t), t >= frames.entry(b).kept ? 1 : 0) << t;
    }
  }
}

TEST(SlidingWindow, ChunksHaveThePositionsOfOneCall) {
  const Index time = 3 * kPeriod;
  const SlidingWindow window(5, kPeriod);
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(time), 0);
  starts[7] = 1;
  const auto x = SequenceView<const float>(nullptr, 0, time, 1).with_starts(starts.data());
  Matrix<float> position = Matrix<float>::Zero(1, 1);
  SlidingWindow::Frames whole, part;
  whole.fill(window, x, FrameView<const float>(position));
  for (Index t = 0; t < time;) {
    const Index count = std::min(time - t, t % 4 + 1);
    part.fill(window, x.chunk(t, count), FrameView<const float>(position));
    for (Index i = 0; i < count; ++i) {
      EXPECT_EQ(part.positions(0)[i], whole.positions(0)[t + i]);
      EXPECT_EQ(part.earlier() + i - part.first_keys(0)[i], whole.earlier() + t + i - whole.first_keys(0)[t + i]);
    }
    EXPECT_EQ(part.least_position(), *std::min_element(part.positions(0), part.positions(0) + count));
    position(0, 0) = static_cast<float>(window.next(part.positions(0)[count - 1]));
    t += count;
  }
}

TEST(SlidingWindow, ACallWithoutFramesOrSequencesIsEmpty) {
  const SlidingWindow window(4, kPeriod);
  SlidingWindow::Frames frames;
  const Matrix<float> positions = Matrix<float>::Constant(1, 2, 9);
  frames.fill(window, SequenceView<const float>(nullptr, 0, 0, 2), FrameView<const float>(positions));
  EXPECT_EQ(frames.time(), 0);
  EXPECT_EQ(frames.earlier(), 3);
  frames.fill(window, SequenceView<const float>(nullptr, 0, 5, 0), FrameView<const float>());
  EXPECT_EQ(frames.batch(), 0);
  EXPECT_EQ(frames.earlier(), 0);
}

}  // namespace
}  // namespace minrnn::tests
