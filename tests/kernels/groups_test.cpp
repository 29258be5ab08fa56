// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/groups.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace minrnn::tests {
namespace {

using detail::Groups;

struct Shape {
  Index time, batch;
};
constexpr Shape kShapes[] = {{1, 1}, {1, 40}, {300, 1}, {16, 16}, {17, 16}, {35, 33}};

TEST(Groups, BlocksCoverEveryFrameOnceInEitherDirection) {
  for (const Shape& shape : kShapes) {
    const Index time = shape.time, batch = shape.batch;
    const Groups groups(time, batch);
    std::vector<int> forward(static_cast<std::size_t>(time * batch)), backward = forward;
    const auto count = [&](std::vector<int>& frames, const Groups::Block& block) {
      EXPECT_LE(block.columns(), groups.most_columns());
      for (Index b = block.sequence; b < block.sequence + block.count; ++b)
        for (Index t = block.first; t < block.last; ++t) ++frames[static_cast<std::size_t>(b * time + t)];
    };
    for (Index group = 0; group < groups.count(); ++group) {
      Index reached = 0;
      for (auto block = groups.start(group); block.next(); reached = block.last) {
        EXPECT_EQ(block.first, reached);
        count(forward, block);
      }
      for (auto block = groups.end(group); block.previous(); reached = block.first) {
        EXPECT_EQ(block.last, reached);
        count(backward, block);
      }
    }
    EXPECT_EQ(forward, std::vector<int>(forward.size(), 1)) << time << ", " << batch;
    EXPECT_EQ(backward, forward) << time << ", " << batch;
  }
}

TEST(Groups, FramesComeTogetherAndGoBack) {
  constexpr Index kFeatures = 3;
  for (const Shape& shape : kShapes) {
    const Index time = shape.time, batch = shape.batch;
    Sequence<float> x(kFeatures, time, batch), y(kFeatures, time, batch);
    std::iota(x.data(), x.data() + x.size(), 1.0f);
    const Groups groups(time, batch);
    std::vector<float> copies(static_cast<std::size_t>(kFeatures * groups.most_columns()));
    for (Index group = 0; group < groups.count(); ++group)
      for (auto block = groups.start(group); block.next();) {
        const SequenceView<const float> view = x.view();
        const auto frames = block.gather(view, Columns<float>(copies.data(), kFeatures, block.columns()));
        EXPECT_EQ(frames.data != copies.data(), block.is_in_place());
        for (Index t = block.first; t < block.last; ++t)
          for (Index i = 0; i < block.count; ++i)
            EXPECT_EQ(*block.frame(frames, t)[i].data, *view.column(t, block.sequence + i));
        block.scatter(frames, y.view());
      }
    EXPECT_TRUE(std::equal(x.data(), x.data() + x.size(), y.data())) << time << ", " << batch;
  }
}

}  // namespace
}  // namespace minrnn::tests
