// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <stdexcept>

#include "minrnn/compose/stack.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/message.hpp"

// That a sequence goes on as behind a start is tested for every layer in conformance/suite.hpp.
namespace minrnn::tests {
namespace {

auto stack_of(Index depth) {
  return Stack(depth, [](Index i) { return MinGru<float>(3, 3, Random(1).stream(i)); });
}

TEST(Reset, RefusesTheStateOfAnotherLayer) {
  const auto message = [](auto& state, const auto& initial) {
    return message_of<std::invalid_argument>([&] { reset(state, 0, initial); });
  };
  const MinGru<float> narrow(2, 8, Random(1).stream(0)), wide(2, 9, Random(1).stream(0));
  auto state = narrow.initial_state(4);
  EXPECT_EQ(message(state, wide.initial_state(1)), "reset: initial.h: wanted (8, 1), given (9, 1)");

  auto of_two = stack_of(2).initial_state(4);
  of_two.parts[0].h.setOnes();
  const auto before = of_two.parts[0].h;
  for (const Index depth : {1, 3}) {
    const auto other = stack_of(depth).initial_state(1);
    EXPECT_EQ(message(of_two, other),
              "reset: initial: wanted the state of the same layer, given one of another number of parts");
    EXPECT_EQ(of_two.parts[0].h, before);
  }
}

TEST(Reset, IsNothingForALayerThatRemembersNothing) {
  const Linear<float> layer(2, 3, Random(1).stream(0));
  auto state = layer.initial_state(4);
  EXPECT_NO_THROW(reset(layer, state, 2));
}

TEST(Reset, WorksForAModel) {
  const LanguageModel<MinGru<float>> model(
      {.vocabulary = 5, .dim = 4, .layers = 2}, Random(1).stream(0),
      [](Index inputs, Index features, RandomStream stream) { return MinGru<float>(inputs, features, stream); });
  auto state = model.initial_state(3);
  LanguageModel<MinGru<float>>::Cache cache;
  const std::int32_t tokens[] = {1, 2, 3}, same[] = {4, 4, 4};
  model.step(FrameView<const std::int32_t>(tokens, 1, 3), state, cache);
  reset(model, state, 1);
  const Matrix<float> logits = model.step(FrameView<const std::int32_t>(same, 1, 3), state, cache).matrix();
  auto fresh = model.initial_state(1);
  EXPECT_EQ(logits.col(1), model.step(FrameView<const std::int32_t>(same, 1, 1), fresh, cache).matrix().col(0));
  EXPECT_NE(logits.col(1), logits.col(0));
}

}  // namespace
}  // namespace minrnn::tests
