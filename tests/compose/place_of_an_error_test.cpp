// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <stdexcept>
#include <string_view>
#include <utility>

#include "minrnn/compose/recompute.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/message.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

// In a net of many layers of one type an error says which of them: by the path of the visit.
namespace minrnn::tests {
namespace {

constexpr Index kDim = 4, kTime = 3, kBatch = 2;

auto make_block(RandomStream stream) {
  return Sequential(named<"mix">(Residual(Sequential(named<"mixer">(MinGru<float>(kDim, 6, stream.stream(0))),
                                                     named<"down">(Linear<float>(6, kDim, stream.stream(1)))))),
                    named<"gru">(Gru<float>(kDim, kDim, stream.stream(2))));
}
auto make_net() {
  return Stack(2, [](Index i) { return make_block(Random(1).stream(i)); });
}

template <class State>
void resize(State& state, std::string_view path, Index rows, Index columns) {
  bool found = false;
  State::visit(state, Name{}, [&](const Name& name, auto& m) {
    if (!name.is(path)) return;
    m.setZero(rows, columns);
    found = true;
  });
  ASSERT_TRUE(found) << path;
}

template <class Body>
std::string said(Body&& body) {
  return message_of<std::invalid_argument>(body);
}

TEST(PlaceOfAnError, OfAStateIsThePathToIt) {
  auto net = make_net();
  using Net = decltype(net);
  const Example example(net, kTime, kBatch);
  Net::Cache cache;
  for (const auto& [path, rows, columns, message] :
       {std::tuple{"1/mix/mixer/h", 7, 2, "state.1/mix/mixer/h: wanted (6, 2), given (7, 2)"},
        {"1/mix/mixer/h", 6, 1, "state.1/mix/mixer/h: wanted (6, 2), given (6, 1)"},
        {"0/gru/h", 3, 2, "state.0/gru/h: wanted (4, 2), given (3, 2)"}}) {
    auto state = net.initial_state(kBatch);
    for (auto* m : matrices_of<Net>(state)) m->setConstant(0.5f);
    resize(state, path, rows, columns);
    Results<float> before, after;
    add_state<Net>(before, "state", state);
    const std::string wanted = "Stack: " + std::string(message);
    EXPECT_EQ(said([&] { net.forward(example.input(), state, cache); }), wanted);
    EXPECT_EQ(said([&] { net.infer(example.input(), state, cache); }), wanted);
    EXPECT_EQ(said([&] { net.step(example.input().frame(0), state, cache); }), wanted);
    add_state<Net>(after, "state", state);
    EXPECT_TRUE(equal(after, before)) << "no part has gone ahead";

    state = net.initial_state(kBatch);
    net.forward(example.input(), state, cache);
    auto dstate = zero_state(net, kBatch);
    resize(dstate, path, rows, columns);
    zero_gradients(net);
    EXPECT_EQ(said([&] { net.backward(example.output_gradient(), dstate, cache); }), "Stack: d" + std::string(message));
    visit_parameters(net, [](const Name& name, const auto& p) { EXPECT_TRUE(p.grad.isZero(0)) << name.str(); });
  }
}

TEST(PlaceOfAnError, OfAStateInAModelIsThePathToIt) {
  const LanguageModel<MinGru<float>> model(
      {.vocabulary = 5, .dim = kDim, .layers = 2}, Random(1).stream(0),
      [](Index inputs, Index features, RandomStream stream) { return MinGru<float>(inputs, features, stream); });
  LanguageModel<MinGru<float>>::Cache cache;
  auto state = model.initial_state(kBatch);
  resize(state, "blocks/1/mix/mixer/h", 9, kBatch);
  const std::int32_t tokens[] = {1, 2};
  EXPECT_EQ(said([&] { model.step(FrameView<const std::int32_t>(tokens, 1, kBatch), state, cache); }),
            "TokenModel: state.blocks/1/mix/mixer/h: wanted (8, 2), given (9, 2)");
}

TEST(PlaceOfAnError, OfAnArgumentIsTheWholeNet) {
  const auto net = make_net();
  decltype(make_net())::Cache cache;
  auto state = net.initial_state(kBatch);
  Sequence<float> x(kDim + 1, kTime, kBatch);
  EXPECT_EQ(said([&] { net.infer(x.view(), state, cache); }),
            "Stack: x: wanted (F, T, B) = (4, any, any), given (5, 3, 2)");
  EXPECT_EQ(said([&] { net.step(FrameView<const float>(x.view().frame(0)), state, cache); }),
            "Stack: x: wanted (F, T, B) = (4, any, any), given (5, 1, 2)");
}

TEST(PlaceOfAnError, StandsBehindWrappersThatHaveNoName) {
  const auto net = Recompute(make_block(Random(1).stream(0)), 2);
  Recompute<decltype(make_block(Random(1).stream(0)))>::Cache cache;
  auto state = net.initial_state(kBatch);
  resize(state, "mix/mixer/h", 7, kBatch);
  Sequence<float> x(kDim, kTime, kBatch);
  EXPECT_EQ(said([&] { net.infer(x.view(), state, cache); }),
            "Sequential: state.mix/mixer/h: wanted (6, 2), given (7, 2)");
}

TEST(PlaceOfAnError, AStateOfAnotherDepthIsRefused) {
  const auto net = make_net();
  const auto deeper = Stack(3, [](Index i) { return make_block(Random(1).stream(i)); });
  auto state = deeper.initial_state(1);
  decltype(make_net())::Cache cache;
  Sequence<float> x(kDim, 1, 1);
  EXPECT_EQ(said([&] { net.infer(x.view(), state, cache); }), "Stack: state: wanted 2, given 3");
  const auto outer = Sequential(make_net());
  auto nested = outer.initial_state(1);
  std::get<0>(nested.parts) = state;
  Sequential<decltype(make_net())>::Cache outer_cache;
  EXPECT_EQ(said([&] { outer.infer(x.view(), nested, outer_cache); }),
            "Sequential: state: wanted the state of this layer, given that of another, or of one that was moved from");
}

}  // namespace
}  // namespace minrnn::tests
