// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// GRU and LSTM where groups of sequences and blocks of time both end within the batch, which no shape of the
// conformance suite reaches.
#include <gtest/gtest.h>

#include "conformance/listed_layer.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/testing/gradient_check.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

template <class L>
class Recurrent : public ::testing::Test {};
using Layers = ::testing::Types<Gru<double>, Lstm<double>>;
TYPED_TEST_SUITE(Recurrent, Layers);

struct Shape {
  Index time, batch;
};
// A block has 256 columns: 16 steps of a whole group of 16 sequences, 256 of a group of one.
constexpr Shape kShapes[] = {{19, 18}, {18, 17}, {258, 1}};

template <class L>
conformance::AnyLayer<double> small_layer() {
  return conformance::erase(L(2, 3, Random(5).stream(0)));
}

std::vector<std::uint8_t> starts_around_borders(Shape shape) {
  const Index last = shape.batch - 1;
  return starts_at(shape.time, shape.batch, {{0, 0}, {15, 0}, {16, last}, {17, 0}, {shape.time - 1, last}});
}

TYPED_TEST(Recurrent, GradientsEqualCentralDifferencesAcrossBlocks) {
  for (const Shape shape : kShapes) {
    const auto flags = starts_around_borders(shape);
    for (const std::uint8_t* starts : {static_cast<const std::uint8_t*>(nullptr), flags.data()}) {
      const auto result =
          check_gradients(small_layer<TypeParam>(),
                          {.time = shape.time, .batch = shape.batch, .starts = starts, .positive_state = false});
      // A difference of a loss of order 10 over a step of 1e-5 rounds to 1e-10.
      EXPECT_LE(result.error, 1e-7) << result.where << ", T = " << shape.time << ", B = " << shape.batch;
    }
  }
}

TYPED_TEST(Recurrent, ForwardInferAndStepAgreeAcrossBlocks) {
  const auto layer = small_layer<TypeParam>();
  for (const Shape shape : kShapes) {
    auto example = Example(layer, shape.time, shape.batch).from_carried_state();
    example.flags = starts_around_borders(shape);
    example.has_flags = true;
    const auto inferred = infer(layer, example);
    EXPECT_TRUE(equal(forward(layer, example), inferred));
    EXPECT_TRUE(equal(stream(layer, example), inferred));
  }
}

TYPED_TEST(Recurrent, GroupsGiveTheSameBitsOnAnyNumberOfThreads) {
  ThreadCount count;
  const auto layer = small_layer<TypeParam>();
  const auto example = Example(layer, 35, 50).from_carried_state();
  count.use(1);
  const auto one = train(layer, example);
  for (const int threads : {2, 3, 4}) {
    count.use(threads);
    EXPECT_TRUE(equal(train(layer, example), one)) << threads << " threads";
  }
}

}  // namespace
}  // namespace minrnn::tests
