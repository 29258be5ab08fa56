// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/attention/key_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "minrnn/core/random.hpp"

namespace minrnn::tests {
namespace {

using detail::KeyRing;
using detail::SlidingWindow;

constexpr Index kFeatures = 3, kRows = 5, kWindow = 3, kPlaces = 4;

/// Keys and values of one head, which has rows 1 to 3 of five.
struct Blocks {
  explicit Blocks(Index count) : keys(Matrix<double>::Zero(kRows, count)), values(keys) {}
  Blocks(Index count, Random& random) : Blocks(count) {
    fill_normal(keys, random, 1);
    fill_normal(values, random, 1);
  }

  static Columns<double> head(Matrix<double>& m) { return {m.data() + 1, kFeatures, m.cols(), kRows}; }
  KeyRing<double> ring(const SlidingWindow& window) { return {window, head(keys), head(values)}; }
  void read(const SlidingWindow& window, const SlidingWindow::Frames& frames, Blocks& past) {
    past.ring(window).read(frames, 1, head(keys), head(values));
  }
  void write(const SlidingWindow& window, const SlidingWindow::Frames& frames, Blocks& past) {
    past.ring(window).write(frames, 1, head(keys), head(values));
  }
  /// <this, other> over the rows of the head.
  double dot(const Blocks& other) const {
    const auto rows = [](const Matrix<double>& m) { return m.middleRows(1, kFeatures); };
    return rows(keys).cwiseProduct(rows(other.keys)).sum() + rows(values).cwiseProduct(rows(other.values)).sum();
  }

  Matrix<double> keys, values;
};

/// The frames of a call for two sequences. The first has a full past, so sequence 1, which starts at the frames
/// `started`, may see fewer earlier keys than there are.
SlidingWindow::Frames frames_of(const SlidingWindow& window, Index time, const std::vector<Index>& started,
                                Index position) {
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(2 * time), 0);
  for (const Index t : started) starts[static_cast<std::size_t>(time + t)] = 1;
  Matrix<double> positions(1, 2);
  positions << 9, static_cast<double>(position);
  SlidingWindow::Frames frames;
  frames.fill(window, SequenceView<const double>(nullptr, 0, time, 2).with_starts(starts.data()),
              FrameView<const double>(positions));
  return frames;
}

/// Every frame is known by its number, from 1 on; 0 where there is none.
TEST(KeyRing, GivesACallTheFramesSinceTheLastStartInTheirOrder) {
  const SlidingWindow window(kWindow, 16);
  for (const std::vector<Index>& started : {std::vector<Index>{}, {0}, {3}, {1, 5}}) {
    Blocks past(kPlaces);
    std::vector<double> list;  // of the frames since the last start
    Index position = 0, number = 1;
    for (const Index time : {1, 2, 6, 1, 7, 3}) {
      const auto frames = frames_of(window, time, time >= 6 ? started : std::vector<Index>{}, position);
      Blocks call(frames.earlier() + time);
      call.read(window, frames, past);
      for (Index j = 1; j < kWindow; ++j) {
        const Index column = frames.earlier() - j;
        const double wanted = j <= Index(list.size()) ? list.end()[-j] : 0;
        for (Index e = 1; e <= kFeatures; ++e) {
          EXPECT_EQ(call.keys(e, column), wanted) << "key " << j << " before frame " << number;
          EXPECT_EQ(call.values(e, column), -wanted);
        }
      }
      for (Index t = 0; t < time; ++t, ++number) {
        if (time >= 6 && std::count(started.begin(), started.end(), t) > 0) list.clear();
        list.push_back(static_cast<double>(number));
        call.keys.col(frames.earlier() + t).setConstant(list.back());
        call.values.col(frames.earlier() + t).setConstant(-list.back());
      }
      call.write(window, frames, past);
      position = window.next(frames.positions(1)[time - 1]);
    }
    EXPECT_TRUE((past.keys.row(0).array() == 0).all() && (past.keys.row(kRows - 1).array() == 0).all())
        << "rows of other heads";
  }
}

/// read and write are linear in the ring and in the keys of the call, so <L u, w> = <u, L^T w> for random u and w.
TEST(KeyRing, TurnsAGradientByTheAdjointOfReadAndWrite) {
  const SlidingWindow window(kWindow, 16);
  Random random(2);
  for (const Index position : {0, 1, 5})
    for (const Index time : {1, 2, 4, 9})
      for (const std::vector<Index>& started : {std::vector<Index>{}, {0}, {time - 1}, {time / 2}}) {
        const auto frames = frames_of(window, time, started, position);
        const Index earlier = frames.earlier(), all = earlier + time;
        const Blocks before(kPlaces, random), dafter(kPlaces, random), dcall(all, random), own(all, random);
        Blocks after = before, call = own, dring = dafter, d = dcall;
        call.read(window, frames, after);
        call.write(window, frames, after);
        for (Index key = all; key-- > 0;)
          dring.ring(window).adjoint(frames, 1, key, Blocks::head(d.keys)[key], Blocks::head(d.values)[key]);
        Blocks u = own, w = d;  // keys of the call alone: those before it come from the ring
        for (Matrix<double>* m : {&u.keys, &u.values, &w.keys, &w.values}) m->leftCols(earlier).setZero();
        const double forward = call.dot(dcall) + after.dot(dafter), backward = u.dot(w) + before.dot(dring);
        EXPECT_NEAR(forward, backward, 1e-12 * std::abs(forward) + 1e-12)  // some dozens of terms of order 1
            << "position " << position << ", " << time << " frames";
        EXPECT_EQ(dring.keys.row(0), dafter.keys.row(0)) << "rows of other heads";
        EXPECT_EQ(dring.values.row(kRows - 1), dafter.values.row(kRows - 1));
      }
}

}  // namespace
}  // namespace minrnn::tests
