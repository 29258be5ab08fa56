// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/gradient_sums.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "minrnn/core/context.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {
namespace {

constexpr Index kTiles = 37;

/// The gradients (5000) and (3, 7), to which each tile adds numbers of its own that no order sums alike.
struct Sums {
  Sequence<float> memory;
  Matrix<float> vector = Matrix<float>::Constant(5000, 1, 0.1f), matrix = Matrix<float>::Constant(3, 7, -0.3f);

  void run(const Context& context, Index tiles = kTiles) {
    const GradientSums<float, 3> sums(memory, tiles, context, {&vector, nullptr, &matrix});
    parallel_for(context, tiles, [&](Index tile, Index) {
      const auto [of_vector, nothing, of_matrix] = sums.start(tile);
      Random random(static_cast<std::uint64_t>(tile));
      for (Index i = 0; i < vector.size(); ++i) of_vector[0].data[i] += static_cast<float>(random.normal());
      for (Index j = 0; j < matrix.cols(); ++j)
        for (Index i = 0; i < matrix.rows(); ++i) sums.of(tile)[2][j].data[i] += static_cast<float>(random.normal());
    });
    sums.add();
  }
};

TEST(GradientSums, HaveTheSameBitsOnOneThreadAndOnMany) {
  Sums alone, shared;
  alone.run({});
  ThreadPool pool(3);
  shared.run({.executor = &pool});
  EXPECT_TRUE((alone.vector.array() == shared.vector.array()).all());
  EXPECT_TRUE((alone.matrix.array() == shared.matrix.array()).all());
  EXPECT_GT((alone.matrix.array() + 0.3f).abs().minCoeff(), 0);
}

TEST(GradientSums, TakeOneBlockOnOneThread) {
  Sums alone, shared;
  alone.run({});
  ThreadPool pool(2);
  shared.run({.executor = &pool});
  EXPECT_EQ(alone.memory.view().batch(), 1);
  EXPECT_EQ(shared.memory.view().batch(), kTiles);
}

TEST(GradientSums, LeaveTheGradientsWhereThereIsNoTile) {
  Sums alone;
  alone.run({}, 0);
  EXPECT_TRUE((alone.vector.array() == 0.1f).all());
  EXPECT_TRUE((alone.matrix.array() == -0.3f).all());
}

}  // namespace
}  // namespace minrnn
