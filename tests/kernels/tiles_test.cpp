// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/tiles.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace minrnn::tests {
namespace {

TEST(Tiles, GrowWithTheWork) {
  EXPECT_EQ(Tiles::of(0, {1e9}), 1);
  EXPECT_EQ(Tiles::of(100, {10}), 1) << "little work is left to one thread";
  EXPECT_EQ(Tiles::of(1000, {1e4}), 77);
  EXPECT_EQ(Tiles::of(1000000, {1e4}), Tiles::kMost);
}

TEST(Tiles, AreWorthTheirSums) {
  // 256 frames with two multiply-adds for each scalar of the sums.
  EXPECT_EQ(Tiles::of(255 * 8, {2e4, 10000}), 8);
  EXPECT_EQ(Tiles::of(257 * 8, {2e4, 10000}), 9);
  EXPECT_EQ(Tiles::of(1 << 20, {2e4, 10000}), Tiles::kEnough);
  EXPECT_EQ(Tiles::most({1e9}), Tiles::kMost);
  EXPECT_EQ(Tiles::most({1e9, 1}), Tiles::kEnough);
}

TEST(Tiles, HavePiecesForThePartsOfASum) {
  EXPECT_EQ(Tiles::pieces_for(0, 4).count(), 0);
  EXPECT_EQ(Tiles::pieces_for(511, 4).count(), 1);
  EXPECT_EQ(Tiles::pieces_for(512, 4).count(), 2) << "256 frames are worth a sum";
  EXPECT_EQ(Tiles::pieces_for(1 << 20, 4).count(), 16) << "of four parts each, for 64 workers";
  EXPECT_EQ(Tiles::pieces_for(1 << 20, 200).count(), 1);
}

TEST(Pieces, CoverEachNumberOnce) {
  for (const Index count : {0, 1, 63, 64, 65, 1000})
    for (const Index most : {1, 2, 7, 64})
      for (const Index step : {1, 16, 64}) {
        const Pieces pieces(count, most, step);
        EXPECT_LE(pieces.count(), most);
        Index next = 0;
        for (Index piece = 0; piece < pieces.count(); ++piece) {
          EXPECT_EQ(pieces.first(piece), next);
          EXPECT_EQ(pieces.first(piece) % step, 0);
          EXPECT_GT(pieces.last(piece), next);
          next = pieces.last(piece);
        }
        EXPECT_EQ(next, count);
      }
}

}  // namespace
}  // namespace minrnn::tests
