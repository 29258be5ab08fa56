// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// That a machine of 64 cores has work for all of them: the tiles of calls are counted, not run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "minrnn/attention/head_parts.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/kernels/channel_tiling.hpp"
#include "minrnn/kernels/gradient_panels.hpp"
#include "minrnn/kernels/tiles.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/scan/gate_blocks.hpp"

namespace minrnn::tests {
namespace {

constexpr Index kWorkers = 64;

/// Notes how many tiles each region of a call has, and runs none: what they would compute stays what it was.
class Counting final : public Executor {
 public:
  Index workers() const override { return kWorkers; }
  void run(Index tiles, const Task&) override { regions.push_back(tiles); }

  std::vector<Index> regions;
};

struct Shape {
  Index time, batch;
};
// As many frames in many sequences as in one.
constexpr Shape kMany{256, 64}, kOne{16384, 1};

/// Regions with a tile for every worker, in a forward and in its backward.
struct Regions {
  Index forward, backward;
};

template <class L>
void expect_work_for_all(const std::string& what, L layer, Shape shape, Regions wanted) {
  SCOPED_TRACE(what + ", " + std::to_string(shape.time) + " frames of " + std::to_string(shape.batch));
  Sequence<float> x(layer.input_size(), shape.time, shape.batch), dy(layer.output_size(), shape.time, shape.batch);
  auto state = layer.initial_state(shape.batch);
  typename L::Cache cache;
  const auto count = [&](auto&& call) {
    Counting counting;
    call(Context{.executor = &counting});
    return std::count_if(counting.regions.begin(), counting.regions.end(),
                         [](Index tiles) { return tiles >= kWorkers; });
  };
  EXPECT_EQ(count([&](const Context& context) { layer.forward(x, state, cache, context); }), wanted.forward);
  EXPECT_EQ(count([&](const Context& context) { layer.backward(dy, cache, context); }), wanted.backward);
}

TEST(ManyWorkers, FindWorkInMinimalLayers) {
  const RandomStream stream = Random(1).stream(0);
  for (const Index d : {64, 256}) {
    const std::string size = "d = " + std::to_string(d);
    expect_work_for_all("minGRU, " + size, MinGru<float>(d, d, stream), kMany, {1, 1});
    expect_work_for_all("minLSTM, " + size, MinLstm<float>(d, d, stream), kMany, {1, 1});
  }
  expect_work_for_all("DiagonalGru, d = 64", DiagonalGru<float>(64, 64, stream), kMany, {1, 1});
  expect_work_for_all("minGRU, d = 256", MinGru<float>(256, 256, stream), kOne, {2, 2});
  // Stretches of 512 steps: shorter ones would cost a small machine too much.
  expect_work_for_all("minGRU, d = 64", MinGru<float>(64, 64, stream), {2 * kOne.time, 1}, {2, 2});
  // The time of each sequence, and the product of dk and x in panels.
  expect_work_for_all("minGRU, d = 1024", MinGru<float>(1024, 1024, stream), {32, 64}, {1, 2});
}

TEST(ManyWorkers, FindWorkInFrames) {
  const RandomStream stream = Random(1).stream(0);
  for (const Shape shape : {kMany, kOne}) {
    expect_work_for_all("Linear, d = 64", Linear<float>(64, 64, stream), shape, {1, 1});
    expect_work_for_all("Linear, d = 256", Linear<float>(256, 256, stream), shape, {1, 2});
    expect_work_for_all("Mlp, d = 64", Mlp<float>(64, 256, stream), shape, {1, 1});
  }
}

// What a call of such sizes has, without the call.
TEST(ManyWorkers, FindWorkInManyFeatures) {
  using Gradients = minrnn::detail::GateGradients<float, 2, 0>;  // of minGRU
  constexpr Index kFrames = 16384, kMostSums = kWorkers << 18;   // 64 MiB in float
  for (const Index d : {64, 256, 512, 1024, 2048}) {
    SCOPED_TRACE(d);
    const FrameCost cost = Gradients::cost(d, d);
    const Index steps = d == 64 ? 2 * kFrames : kFrames;
    EXPECT_EQ(Tiling(d, steps, 1, cost).count(), kWorkers);
    EXPECT_EQ(Tiling(d, kFrames / 64, 64, cost).count(), kWorkers);
    EXPECT_LE(kWorkers * cost.sums, kMostSums);
    if (!Gradients::keeps_dk(d, d)) continue;
    const minrnn::detail::GradientPanels panels(2, d, d);
    const Index pieces = Tiles::pieces_for(kFrames, panels.count()).count();
    EXPECT_GE(panels.count() * pieces, kWorkers);
    EXPECT_LE(panels.count() * pieces * panels.size(), kMostSums);
  }
}

TEST(ManyWorkers, ShareTheChannelsOfSequencesThatAreFewer) {
  const auto tiles = [](Index channels, Index time, Index batch) {
    const double work = 24 * 16 * static_cast<double>(channels);  // of 16 states
    return minrnn::detail::ChannelTiling(channels, time, batch, {work, channels * 17}).count();
  };
  EXPECT_EQ(tiles(512, 1024, 64), 64);
  EXPECT_EQ(tiles(512, 1024, 16), 128);
  EXPECT_EQ(tiles(2048, 4096, 1), 32) << "no more groups of 64 channels are there, as time is not divided";
}

TEST(ManyWorkers, ShareTheHeadsThatAreFewer) {
  EXPECT_EQ(minrnn::detail::HeadTiles(64, 256, kWorkers).count(), 64);
  EXPECT_EQ(minrnn::detail::HeadTiles(8, 1024, kWorkers).count(), 64);
  EXPECT_EQ(minrnn::detail::HeadTiles(4, 2048, kWorkers).count(), 64);
  EXPECT_EQ(minrnn::detail::HeadTiles(1, 65536, kWorkers).count(), 16) << "no more parts: each has a dq of its own";
  EXPECT_EQ(minrnn::detail::HeadTiles(4, 2048, 2).count(), 4) << "heads enough for two";
}

}  // namespace
}  // namespace minrnn::tests
