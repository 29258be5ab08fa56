// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "conformance/fixture.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "support/compare.hpp"
#include "support/message.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

/// What the layers of the library promise beyond what check_layer asks of any layer.
namespace minrnn::tests {
namespace {

class Conformance : public LayerTest {
 protected:
  template <class S>
  static std::vector<Example<AnyLayer<S>>> examples(const AnyLayer<S>& layer, Index time, Index batch,
                                                    std::initializer_list<std::pair<Index, Index>> starts) {
    std::vector<Example<AnyLayer<S>>> list;
    list.push_back(Example(layer, time, batch));
    list.push_back(Example(layer, time, batch, 8).from_carried_state());
    list.push_back(Example(layer, time, batch, 9).with_starts(starts).from_carried_state());
    return list;
  }
};

TEST_P(Conformance, ForwardGivesTheBitsOfInfer) {
  const auto check = [&]<class S>(S, Size size) {
    const auto layer = make<S>(size);
    for (const auto& example : examples(layer, 9, 3, {{0, 0}, {4, 0}, {8, 2}}))
      EXPECT_TRUE(equal(forward(layer, example), infer(layer, example)));
  };
  if (GetParam().stochastic) GTEST_SKIP() << "forward draws a mask";
  check(float(), kSmall);
  check(float(), kOdd);
  check(float(), kLarge);
  check(double(), kSmall);
  check(double(), kOdd);
}

TEST_P(Conformance, EveryFrameIsSeen) {
  const auto layer = make<float>();
  for (const auto& [time, batch] : {std::pair<Index, Index>{9, 2}, {kLong, 1}})
    for (const Index t : {Index{0}, Index{1}, time / 2, time - 1}) {
      const Example example(layer, time, batch);
      Example changed(layer, time, batch);
      for (Index b = 0; b < batch; ++b) changed.x.view().matrix(b).col(t).array() += 10;  // more than any other
      const Matrix<float> before = infer(layer, example).at("y"), after = infer(layer, changed).at("y");
      for (Index b = 0; b < batch; ++b) EXPECT_NE(before.col(b * time + t), after.col(b * time + t)) << "frame " << t;
    }
}

TEST_P(Conformance, TimeDividedIntoStretchesIsTheSameFunction) {
  if (!make<double>().is_causal()) GTEST_SKIP() << "chunks are for causal layers: what these are made of is divided";
  const auto check = [&](Index time, Index batch) {
    const auto layer = make<double>();
    const Tiling tiling(layer.output_size(), time, batch, {});
    ASSERT_GT(tiling.parts(), 1) << "this shape is not divided: choose a longer one";
    const Index border = tiling[0].last_step, undivided = 500;
    std::vector<Index> chunks(static_cast<std::size_t>(time / undivided), undivided);
    chunks.push_back(time % undivided);
    ASSERT_EQ(Tiling(layer.output_size(), undivided, batch, {}).parts(), 1);
    for (const auto& example :
         examples(layer, time, batch,
                  {{0, 0}, {border - 1, 0}, {border, 0}, {border + 1, 0}, {time - 1, 0}, {border, batch - 1}})) {
      // Stretches are composed and their sums taken in another order: rounding alone.
      const auto inferred = infer(layer, example);
      EXPECT_TRUE(close(stream(layer, example), inferred, kRounding<double>));
      EXPECT_TRUE(close(infer_chunks(layer, example, chunks), inferred, kRounding<double>));
      if (GetParam().stochastic) continue;  // forward of a chunk draws another mask
      const auto whole = train(layer, example), parts = train_chunks(layer, example, chunks);
      EXPECT_TRUE(equal(inferred, values_of(whole)));
      EXPECT_TRUE(close(whole, parts, kRounding<double>));
      // A chunk may itself be divided.
      EXPECT_TRUE(close(train_chunks(layer, example, {time - 37, 37}), parts, kRounding<double>));
    }
  };
  check(kLong, 1);
  check(kLong + 30, 3);
}

TEST_P(Conformance, AResetSequenceGoesOnAsBehindAStart) {
  if (!make<float>().is_causal()) GTEST_SKIP() << "only a causal layer goes on";
  const auto check = [&]<class S>(S) {
    const auto layer = make<S>(kOdd);
    using L = AnyLayer<S>;
    const Index batch = 3;
    const Example example(layer, 2, batch);
    const auto carried = state_after(layer, SequenceView<const S>(example.warm_up.view()));
    for (Index b = 0; b < batch; ++b)
      for (const bool poisoned : {false, true}) {
        auto flagged = carried;
        if (poisoned)
          for (Matrix<S>* m : matrices_of<L>(flagged)) m->col(b).setConstant(std::numeric_limits<S>::quiet_NaN());
        auto was_reset = flagged, given = flagged;
        reset(layer, was_reset, b);
        reset(given, b, layer.initial_state(1));
        const auto flags = starts_at(2, batch, {{0, b}});
        const auto run = [&](SequenceView<const S> x, typename L::State& state) {
          typename L::Cache cache;
          Results<S> results;
          for (Index t = 0; t < 2; ++t)
            results["y " + std::to_string(t)] = layer.step(x.frame(t), state, cache, context()).matrix();
          add_state<L>(results, "state", state);
          return results;
        };
        const auto wanted = run(example.input().with_starts(flags.data()), flagged);
        EXPECT_TRUE(equal(run(example.input(), was_reset), wanted)) << "sequence " << b;
        EXPECT_TRUE(equal(run(example.input(), given), wanted)) << "sequence " << b << ", of an initial state";
      }
  };
  check(float());
  check(double());
}

TEST_P(Conformance, AResetThatDoesNotFitThrowsAndChangesNothing) {
  const auto layer = make<float>();
  using L = AnyLayer<float>;
  auto state = state_after(layer, SequenceView<const float>(Example(layer, 1, 3).warm_up.view()));
  Index size = 0;
  for (const auto* m : matrices_of<L>(state)) size += m->size();
  if (size == 0) return;  // it remembers nothing
  Results<float> before, after;
  add_state<L>(before, "state", state);
  for (const Index b : {Index{3}, Index{-1}})
    EXPECT_EQ(message_of<std::invalid_argument>([&] { reset(layer, state, b); }),
              "reset: b: wanted at least 0 and below 3, given " + std::to_string(b));
  const std::string message = message_of<std::invalid_argument>([&] { reset(state, 0, layer.initial_state(2)); });
  EXPECT_TRUE(message.starts_with("reset: initial.") && message.find(", 1), given") != std::string::npos) << message;
  add_state<L>(after, "state", state);
  EXPECT_TRUE(equal(after, before));
}

TEST_P(Conformance, ALayerAndACacheTakeValuesOfOtherSizes) {
  const auto layer = make<float>(), other = make<float>(kOdd, 2);
  const Example example(layer, 6, 2);
  const Example other_example(other, 4, 9);
  const auto wanted = train(layer, example), other_wanted = train(other, other_example);
  AnyLayer<float> taken = layer, moved = std::move(taken);
  taken = other;  // a moved-from layer, given a value of another size
  EXPECT_TRUE(equal(train(taken, other_example), other_wanted));
  EXPECT_TRUE(equal(train(moved, example), wanted));
  moved = std::move(taken);
  EXPECT_TRUE(equal(train(moved, other_example), other_wanted));

  AnyLayer<float>::Cache cache;
  EXPECT_TRUE(equal(train(layer, example, cache), wanted));
  EXPECT_TRUE(equal(train(other, other_example, cache), other_wanted));
  EXPECT_TRUE(equal(train(layer, example, cache), wanted));
}

TEST_P(Conformance, FloatAgreesWithDouble) {
  const auto single = make<float>(kOdd);
  auto twice = make<double>(kOdd);
  using L = std::remove_const_t<decltype(single)>;
  std::vector<const Matrix<float>*> weights;
  visit_parameters(single, [&](const Name&, const auto& p) { weights.push_back(&p.value); });
  std::size_t next = 0;
  visit_parameters(twice, [&](const Name&, auto& p) {
    EXPECT_TRUE(close<double>(weights.at(next)->cast<double>(), p.value, 1e-6));  // the same seed, rounded
    p.value = weights.at(next++)->cast<double>();
  });
  EXPECT_EQ(next, weights.size());
  const auto example = Example(single, 20, 3).with_starts({{9, 1}});
  auto wide = Example(twice, 20, 3).with_starts({{9, 1}});
  for (auto [from, to] : {std::pair{&example.x, &wide.x}, {&example.dy, &wide.dy}})
    for (Index i = 0; i < from->size(); ++i) to->data()[i] = from->data()[i];
  Results<double> rounded;
  for (const auto& [name, m] : train<L>(single, example)) rounded[name] = m.cast<double>();
  // 20 steps of sums of 35 products in float.
  EXPECT_TRUE(close(rounded, train(twice, wide), 1e-5));
}

TEST_P(Conformance, WrongShapesThrowAndSayWhich) {
  auto layer = make<float>();
  using L = decltype(layer);
  const Index inputs = layer.input_size(), outputs = layer.output_size(), time = 4, batch = 3;
  Random random(3);
  const auto good = random_sequence<float>(inputs, time, batch, random);
  const auto wide = random_sequence<float>(inputs + 1, time, batch, random);
  L::Cache cache;
  const auto fresh = [&] { return layer.initial_state(batch); };
  const auto expect = [&](const char* what, const std::string& argument, const std::string& wanted,
                          const std::string& given, auto&& body) {
    const std::string message = message_of<std::invalid_argument>(body);
    for (const std::string& part : {argument, wanted, given})
      EXPECT_NE(message.find(part), std::string::npos) << what << " says '" << message << "', without '" << part << "'";
    EXPECT_NE(message.find(": "), std::string::npos) << what << " names no layer: " << message;
  };
  const std::string wide_shape = minrnn::detail::shape_text(inputs + 1, time, batch);
  auto state = fresh();
  expect("forward", "x", std::to_string(inputs), wide_shape,
         [&] { layer.forward(wide.view(), state, cache, context()); });
  expect("infer", "x", std::to_string(inputs), wide_shape, [&] { layer.infer(wide.view(), state, cache, context()); });
  if (layer.is_causal())
    expect("step", "x", std::to_string(inputs), minrnn::detail::shape_text(inputs + 1, 1, batch),
           [&] { layer.step(FrameView<const float>(wide.view().frame(0)), state, cache, context()); });
  expect("forward", "x", std::to_string(inputs), "null",
         [&] { layer.forward(SequenceView<const float>(nullptr, inputs, time, batch), state, cache, context()); });
  EXPECT_TRUE(equal(forward(layer, Example(layer, time, batch)),
                    [&] {
                      const Example example(layer, time, batch);
                      Results<float> results;
                      results["y"] = to_matrix(layer.forward(example.input(), state, cache, context()));
                      add_state<L>(results, "state", state);
                      return results;
                    }()))
      << "a call that threw has changed the state";

  if (!matrices_of<L>(state).empty()) {
    auto short_state = layer.initial_state(batch - 1);
    expect("forward", "state", std::to_string(batch), std::to_string(batch - 1),
           [&] { layer.forward(good.view(), short_state, cache, context()); });
    expect("infer", "state", std::to_string(batch), std::to_string(batch - 1),
           [&] { layer.infer(good.view(), short_state, cache, context()); });
    if (layer.is_causal())
      expect("step", "state", std::to_string(batch), std::to_string(batch - 1),
             [&] { layer.step(FrameView<const float>(good.view().frame(0)), short_state, cache, context()); });
    state = fresh();
    layer.forward(good.view(), state, cache, context());
    const auto dy = random_sequence<float>(outputs, time, batch, random);
    expect("backward", "state", std::to_string(batch), std::to_string(batch - 1),
           [&] { layer.backward(dy.view(), short_state, cache, context()); });
  }
  state = fresh();
  layer.forward(good.view(), state, cache, context());
  zero_gradients(layer);
  for (const auto& [f, t, b] :
       {std::array{outputs + 1, time, batch}, {outputs, time + 1, batch}, {outputs, time, batch - 1}}) {
    const auto dy = random_sequence<float>(f, t, b, random);
    auto dstate = random_state_gradient(layer, batch);
    expect("backward", "dy", minrnn::detail::shape_text(outputs, time, batch), minrnn::detail::shape_text(f, t, b),
           [&] { layer.backward(dy.view(), dstate, cache, context()); });
  }
  visit_parameters(layer, [](const Name& name, const auto& p) { EXPECT_TRUE(p.grad.isZero(0)) << name.str(); });
}

MINRNN_TEST_ALL_LAYERS(Conformance);

}  // namespace
}  // namespace minrnn::tests
