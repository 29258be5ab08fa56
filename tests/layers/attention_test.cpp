// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/attention.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "support/run.hpp"

namespace minrnn::tests {
namespace {

using Layer = Attention<float>;

struct Trained {
  Matrix<float> y, dx;
};

Trained trained(Layer layer, const Example<Layer>& example) {
  zero_gradients(layer);
  const Results<float> results = train(layer, example);
  return {results.at("y"), results.at("dx")};
}

/// y and dx of sequence 0 over the frames [first, last).
void expect_same(const Trained& poisoned, const Trained& clean, Index first, Index last, const std::string& what) {
  EXPECT_TRUE(equal<float>(poisoned.y.middleCols(first, last - first), clean.y.middleCols(first, last - first), what));
  EXPECT_TRUE(
      equal<float>(poisoned.dx.middleCols(first, last - first), clean.dx.middleCols(first, last - first), what));
}

TEST(Attention, SeesNothingOfAFrameAheadWhateverItIs) {
  Random random(1);
  const Layer layer(4, 1, random.stream(0), {.window = 4});
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
    Example<Layer> example(layer, 8, 1);
    const auto clean = forward(layer, example)["y"];
    example.x.view().column(7, 0)[1] = bad;
    const auto poisoned = forward(layer, example)["y"];
    EXPECT_TRUE(equal<float>(poisoned.leftCols(7), clean.leftCols(7), std::to_string(bad)));
  }
}

TEST(Attention, KeepsWhatIsNoNumberFromWhateverDoesNotSeeIt) {
  Random random(2);
  // Frames of several tiles of 48 queries and 64 keys, a window that ends within a tile, and one start.
  constexpr Index kTime = 200, kWindow = 70, kStart = 90;
  const Layer layer(6, 2, random.stream(0), {.head_size = 4, .window = kWindow});
  const auto make = [&] { return Example<Layer>(layer, kTime, 1).from_carried_state().with_starts({{kStart, 0}}); };
  const Trained clean = trained(layer, make());
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f})
    for (const Index t : {0, 47, 48, 63, 64, 89, 90, 127, 199}) {
      const std::string what = std::to_string(bad) + " in frame " + std::to_string(t);
      auto example = make();
      example.x.view().column(t, 0)[2] = bad;
      const Trained poisoned = trained(layer, example);
      // Values: frame t, and those behind it that see it. Gradients: frames that share an output with it.
      const Index begin = t < kStart ? 0 : kStart, end = t < kStart ? kStart : kTime;
      EXPECT_TRUE(equal<float>(poisoned.y.leftCols(t), clean.y.leftCols(t), what));
      const Index behind = std::min(t + kWindow, end);
      EXPECT_TRUE(equal<float>(poisoned.y.rightCols(kTime - behind), clean.y.rightCols(kTime - behind), what));
      expect_same(poisoned, clean, 0, std::max(begin, t - kWindow + 1), what);
      expect_same(poisoned, clean, behind, kTime, what);

      auto backwards = make();  // a gradient of an output reaches what the output saw
      backwards.dy.view().column(t, 0)[3] = bad;
      const Trained reached = trained(layer, backwards);
      const Index first = std::max(begin, t - kWindow + 1);
      EXPECT_TRUE(equal<float>(reached.dx.leftCols(first), clean.dx.leftCols(first), what));
      EXPECT_TRUE(equal<float>(reached.dx.rightCols(kTime - t - 1), clean.dx.rightCols(kTime - t - 1), what));
    }
}

TEST(Attention, ForgetsAStateThatIsNoNumberAtAStart) {
  Random random(3);
  const Layer layer(6, 2, random.stream(0), {.head_size = 4, .window = 10});
  const auto run = [&](float bad) {
    auto copy = layer;
    const auto example = Example<Layer>(layer, 6, 1).with_starts({{2, 0}});
    auto state = state_after(layer, example.warm_up.view());
    if (bad != 0) state.keys.setConstant(bad);
    if (bad != 0) state.values.setConstant(bad);
    Layer::Cache cache;
    Results<float> results;
    results["y"] = to_matrix(copy.forward(example.input(), state, cache, context())).rightCols(4);
    add_state<Layer>(results, "state", state);
    auto dstate = random_state_gradient(layer, 1);
    results["dx"] = to_matrix(copy.backward(example.output_gradient(), dstate, cache, context())).rightCols(4);
    return results;
  };
  const auto clean = run(0);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f})
    EXPECT_TRUE(equal(run(bad), clean)) << bad;
}

}  // namespace
}  // namespace minrnn::tests
