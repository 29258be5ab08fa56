// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <stdexcept>
#include <string_view>
#include <utility>

#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/recompute.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
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

TEST(PlaceOfAnError, OfAStateOfADirectionIsThePathToIt) {
  Bidirectional net(make_block(Random(1).stream(0)), MinGru<float>(kDim, kDim, Random(1).stream(1)));
  using Net = decltype(net);
  const Example example(net, kTime, kBatch);
  Net::Cache cache;
  auto state = net.initial_state(kBatch);
  for (auto* m : matrices_of<Net>(state)) m->setConstant(0.5f);
  resize(state, "backward/h", 7, kBatch);
  Results<float> before, after;
  add_state<Net>(before, "state", state);
  const std::string wanted = "Bidirectional: state.backward/h: wanted (4, 2), given (7, 2)";
  EXPECT_EQ(said([&] { net.forward(example.input(), state, cache); }), wanted);
  EXPECT_EQ(said([&] { net.infer(example.input(), state, cache); }), wanted);
  add_state<Net>(after, "state", state);
  EXPECT_TRUE(equal(after, before)) << "no direction has gone ahead";
  state = net.initial_state(kBatch);
  net.forward(example.input(), state, cache);
  auto dstate = zero_state(net, kBatch);
  resize(dstate, "forward/mix/mixer/h", 6, 1);
  EXPECT_EQ(said([&] { net.backward(example.output_gradient(), dstate, cache); }),
            "Bidirectional: dstate.forward/mix/mixer/h: wanted (6, 2), given (6, 1)");
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

/// Hands on what it is given, or refuses it.
struct Picky : FrameWise<Picky, float> {
  using View = SequenceView<const float>;
  struct Cache : CacheBase {};
  static constexpr std::string_view kMessage = "Picky: mood: wanted good, given bad";

  Index size;
  const bool* refuses;

  Picky(Index features, const bool& refusing) : size(features), refuses(&refusing) {}
  Index input_size() const { return size; }
  Index output_size() const { return size; }
  CacheBase::Sizes cache_sizes() const { return {size, size}; }
  View check(View x) const {
    minrnn::detail::check_that(!*refuses, "Picky", "mood", "good", "bad");
    return x;
  }
  View apply(View x, Cache&, const Context&) const { return check(x); }
  View adjoint(View dy, Cache& cache, const Context&) {
    cache.check_backward("Picky", cache_sizes(), dy);
    return check(dy);
  }
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

/// What a Picky somewhere in a net throws says where it is, whatever is called; y is what forward gave.
template <class Net, class X, class Y>
void expect_place(const char* what, Net& net, X x, Y y, bool& refuses, std::string_view place) {
  SCOPED_TRACE(what);
  const std::string wanted = std::string(place) + ": " + std::string(Picky::kMessage);
  typename Net::Cache cache;
  auto state = net.initial_state(kBatch);
  refuses = true;
  EXPECT_EQ(said([&] { net.forward(x, state, cache, context()); }), wanted);
  EXPECT_EQ(said([&] { net.infer(x, state, cache); }), wanted);
  if constexpr (requires { net.step(x.frame(0), state, cache); }) {
    EXPECT_EQ(said([&] { net.step(x.frame(0), state, cache); }), wanted);
  }
  refuses = false;
  state = net.initial_state(kBatch);
  net.forward(x, state, cache, context());
  auto dstate = zero_state(net, kBatch);
  refuses = true;
  EXPECT_EQ(said([&] { net.backward(y, dstate, cache); }), wanted);
  EXPECT_EQ(said([&] { net.backward(y, cache); }), wanted);
}

TEST(PlaceOfAnError, OfALayerIsThePathToIt) {
  bool refuses = false;
  const bool never = false;
  const auto picky = [&](Index i = 1) { return Picky(kDim, i == 1 ? refuses : never); };  // the second one of many
  const RandomStream stream = Random(1).stream(0);
  const auto gru = [&](Index i) { return MinGru<float>(kDim, kDim, stream.stream(i)); };
  const Sequence<float> x(kDim, kTime, kBatch);
  const auto expect = [&](const char* what, auto net, std::string_view place) {
    expect_place(what, net, SequenceView<const float>(x.view()), SequenceView<const float>(x.view()), refuses, place);
  };
  expect("Sequential", Sequential(gru(0), picky(), gru(1)), "1");
  expect("Sequential of names", Sequential(gru(0), named<"down">(picky())), "down");
  expect("Stack", Stack(3, picky), "1");
  const auto block = [&](Index i) {
    return Sequential(named<"mix">(Residual(Sequential(named<"mixer">(gru(i)), named<"down">(picky(i))))));
  };
  expect("Residual", Residual(block(1)), "mix/down");
  expect("Recompute", Recompute(block(1), 2), "mix/down");
  expect("Highway", Sequential(Highway(block(1), stream)), "0/inner/mix/down");
  expect("Bidirectional, forward", Sequential(Bidirectional(block(1), gru(0), Join::added)), "0/forward/mix/down");
  expect("Bidirectional, backward", Sequential(Bidirectional(gru(0), block(1), Join::added)), "0/backward/mix/down");
  expect("a nest", Sequential(gru(0), Recompute(Stack(3, block), 2)), "1/1/mix/down");

  const Sequence<std::int32_t> tokens(1, kTime, kBatch);
  const auto expect_in_model = [&](const char* what, auto model, std::string_view place) {
    const Sequence<float> dlogits(model.vocabulary_size(), kTime, kBatch);
    expect_place(what, model, Tokens(tokens.view()), SequenceView<const float>(dlogits.view()), refuses, place);
  };
  expect_in_model("TokenModel", TokenModel(5, kDim, 1, stream, Stack(3, block)), "blocks/1/mix/down");
  Index made = 0;
  expect_in_model("LanguageModel",
                  LanguageModel<Picky>({.vocabulary = 5, .dim = kDim, .layers = 3, .expansion = 1}, stream,
                                       [&](Index, Index, RandomStream) { return picky(made++); }),
                  "blocks/1/mix/mixer");
}

TEST(PlaceOfAnError, OfWhatALayerSeesItselfIsThePathToIt) {
  const auto net = Stack(3, [](Index i) {
    return Sequential(
        named<"mixer">(MinGru<float, Candidate::positive, Arithmetic::log_space>(kDim, kDim, Random(1).stream(i))));
  });
  std::remove_const_t<decltype(net)>::Cache cache;
  auto state = net.initial_state(kBatch);
  std::get<0>(state.parts[2].parts).h(1, 1) = -1;
  const Sequence<float> x(kDim, kTime, kBatch);
  EXPECT_EQ(said([&] { net.infer(x.view(), state, cache); }),
            "2/mixer: MinGru: state.h: wanted no negative element in log-space arithmetic, given one");

  const LanguageModel<MinGru<float>> model(
      {.vocabulary = 5, .dim = kDim, .layers = 2, .dropout = 0.5}, Random(1).stream(0),
      [](Index inputs, Index features, RandomStream stream) { return MinGru<float>(inputs, features, stream); });
  LanguageModel<MinGru<float>>::Cache of_model;
  auto model_state = model.initial_state(1);
  const std::int32_t tokens[] = {1, 7};
  EXPECT_EQ(said([&] { model.infer(Tokens(tokens, 1, 2, 1), model_state, of_model); }),
            "embedding: Embedding: tokens: wanted tokens below 5, given 7");
  EXPECT_EQ(said([&] { model.forward(Tokens(tokens, 1, 1, 1), model_state, of_model); }),
            "blocks/0/mix/dropout: Dropout: context.draw: wanted the number of the training step, which the mask is a "
            "function of, given none");
}

TEST(PlaceOfAnError, OfLayersThatDoNotFitIsTheSecondOfThem) {
  const RandomStream stream = Random(1).stream(0);
  const auto linear = [&](Index inputs, Index features) { return Linear<float>(inputs, features, stream); };
  EXPECT_EQ(said([&] { Bidirectional(linear(3, 4), linear(5, 4)); }),
            "Bidirectional: backward's input size: wanted 3, given 5");
  EXPECT_EQ(said([&] { Bidirectional(linear(3, 4), linear(3, 6), Join::added); }),
            "Bidirectional: backward's output size: wanted 4, given 6");
  EXPECT_EQ(said([&] { Highway(linear(3, 4), stream); }), "Highway: inner's output size: wanted 3, given 4");
  EXPECT_EQ(said([&] { Sequential(linear(3, 4), linear(4, 32), linear(64, 1)); }),
            "2: x: wanted 64 features, given 32");
  EXPECT_EQ(said([&] { Stack(2, [&](Index i) { return linear(3, 4 + i); }); }), "1: x: wanted 3 features, given 4");
  EXPECT_EQ(said([&] {
              Stack(3, [&](Index i) { return Residual(Sequential(linear(3, 4), named<"out">(linear(4 + i / 2, 3)))); });
            }),
            "2/out: x: wanted 5 features, given 4");
  const auto make_model = [&](Index inputs, Index features) {
    LanguageModel<MinGru<float>>(
        {.vocabulary = 5, .dim = kDim, .layers = 2}, stream,
        [&](Index, Index, RandomStream of_mixer) { return MinGru<float>(inputs, features, of_mixer); });
  };
  EXPECT_EQ(said([&] { make_model(kDim, kDim); }), "blocks/0/mix/down: x: wanted 8 features, given 4");
  EXPECT_EQ(said([&] { make_model(3, 2 * kDim); }), "blocks/0/mix/mixer: x: wanted 3 features, given 4");
  EXPECT_EQ(said([&] { make_model(kDim, 0); }),
            "blocks/0/mix/mixer: MinGru: features: wanted a size of at least 1, given 0");
}

TEST(PlaceOfAnError, IsNotPutBeforeForeignErrors) {
  struct Foreign : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
  };
  try {
    Stack(2, [](Index i) {
      if (i == 1) throw Foreign("mine");
      return Linear<float>(3, 3, Random(1).stream(i));
    });
    ADD_FAILURE() << "nothing thrown";
  } catch (const Foreign& error) {
    EXPECT_STREQ(error.what(), "mine");
  }
}

}  // namespace
}  // namespace minrnn::tests
