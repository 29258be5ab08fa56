// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/misuse.hpp"
#include "conformance/poison.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/testing/gradient_check.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

/// What every layer promises. A translation unit tests a group of layers by MINRNN_TEST_CONFORMANCE(Group).
namespace minrnn::tests {

TYPED_TEST_SUITE_P(Conformance);

TYPED_TEST_P(Conformance, MeetsTheConcept) {
  static_assert(SequenceLayer<decltype(TestFixture::template make<float>())>);
  static_assert(SequenceLayer<decltype(TestFixture::template make<double>())>);
}

TYPED_TEST_P(Conformance, GradientsEqualCentralDifferences) {
  const auto check = [&](auto size, Index time, Index batch, const std::uint8_t* starts) {
    const auto layer = TestFixture::template make<double>(size);
    const auto result = check_gradients(layer, {.time = time,
                                                .batch = batch,
                                                .starts = starts,
                                                .seed = TypeParam::gradient_seed,
                                                .positive_state = TypeParam::positive_state});
    // A difference of a loss of order 10 over a step of 1e-5 rounds to 1e-10 and its third derivative adds as much.
    EXPECT_LE(result.error, 1e-7) << result.where << ": " << result.analytic << ", by differences " << result.numeric
                                  << "; T = " << time << ", B = " << batch << (starts ? ", with starts" : "");
    WorstGradient::note(TypeParam::name, result);
    return result.error;
  };
  const auto one = starts_at(1, 1, {{0, 0}});
  const auto some = starts_at(7, 3, {{0, 0}, {3, 0}, {5, 2}, {6, 2}});
  double worst = 0;
  worst = std::max(worst, check(TestFixture::kSmall, 1, 1, nullptr));
  worst = std::max(worst, check(TestFixture::kSmall, 1, 1, one.data()));
  worst = std::max(worst, check(TestFixture::kSmall, 7, 3, nullptr));
  worst = std::max(worst, check(TestFixture::kSmall, 7, 3, some.data()));
  worst = std::max(worst, check(TestFixture::kLarge, 7, 3, some.data()));
  std::ostringstream figure;
  figure << worst;
  this->RecordProperty("gradient_error", figure.str());
}

TYPED_TEST_P(Conformance, GradientsAccumulate) {
  auto layer = TestFixture::template make<double>();
  const Example example(layer, 7, 3);
  const auto once = train(layer, example);
  zero_gradients(layer);
  typename decltype(layer)::Cache cache;
  auto state = example.state(layer);
  layer.forward(example.input(), state, cache, context());
  Results<double> first, second, doubled = once;
  for (Results<double>* results : {&first, &second}) {
    auto dstate = random_state_gradient(layer, 3);
    (*results)["dx"] = to_matrix(layer.backward(example.output_gradient(), dstate, cache, context()));
    add_state<decltype(layer)>(*results, "dstate", dstate);
    add_gradients(*results, layer);
  }
  for (auto* results : {&first, &second})
    for (const auto& [name, m] : values_of(once)) (*results)[name] = m;
  EXPECT_TRUE(equal(first, once));
  for (auto& [name, m] : doubled)
    if (name.starts_with("grad ")) m *= 2;
  EXPECT_TRUE(equal_but_sums(second, doubled, 1e-13));  // adding to a sum rounds each addend anew
}

TYPED_TEST_P(Conformance, StepInferAndForwardAgree) {
  const auto check = [&]<class S>(S, auto size) {
    const auto layer = TestFixture::template make<S>(size);
    for (const auto& example : TestFixture::examples(layer, 9, 3, {{0, 0}, {4, 0}, {8, 2}})) {
      const auto inferred = infer(layer, example);
      EXPECT_TRUE(TestFixture::agree(stream(layer, example), inferred));
      if (!TypeParam::stochastic) {
        EXPECT_TRUE(equal(forward(layer, example), inferred));
      }
    }
  };
  check(float(), TestFixture::kSmall);
  check(float(), TestFixture::kOdd);
  check(float(), TestFixture::kLarge);
  check(double(), TestFixture::kSmall);
  check(double(), TestFixture::kOdd);
}

TYPED_TEST_P(Conformance, ChunksWithTheStateCarriedAreOneCall) {
  const auto check = [&]<class S>(S, auto size) {
    const auto layer = TestFixture::template make<S>(size);
    for (const auto& example : TestFixture::examples(layer, 23, 3, {{0, 1}, {5, 0}, {11, 0}, {12, 0}, {22, 2}}))
      for (const std::vector<Index>& chunks :
           {std::vector<Index>{5, 7, 11}, {22, 1}, {1, 22}, {4, 0, 19}, std::vector<Index>(23, 1)}) {
        EXPECT_TRUE(TestFixture::agree(infer_chunks(layer, example, chunks), infer(layer, example)));
        if (!TypeParam::stochastic) {
          EXPECT_TRUE(TestFixture::agree(train_chunks(layer, example, chunks), train(layer, example)));
        }
      }
  };
  check(float(), TestFixture::kSmall);
  check(double(), TestFixture::kOdd);
}

TYPED_TEST_P(Conformance, SegmentsOfAPackedBatchAreTheirOwnSequences) {
  auto layer = TestFixture::template make<double>();
  using L = decltype(layer);
  const Index time = 17, batch = 2;
  const auto packed = Example(layer, time, batch).with_starts({{0, 1}, {4, 0}, {5, 0}, {16, 1}}).from_carried_state();
  // A mask depends on the place in the batch: where there is one, infer alone is compared.
  const auto whole = TypeParam::stochastic ? infer(layer, packed) : train(layer, packed);

  zero_gradients(layer);
  Matrix<double> y(layer.output_size(), time * batch), dx(layer.input_size(), time * batch);
  auto dstate_of_all = random_state_gradient(layer, batch);
  auto final_state = layer.initial_state(batch), first_gradient = zero_state(layer, batch);
  const auto put = [&](typename L::State& from, typename L::State& to, Index b) {
    const auto source = matrices_of<L>(from), target = matrices_of<L>(to);
    for (std::size_t i = 0; i < source.size(); ++i)
      std::copy_n(source[i]->data(), source[i]->size(), target[i]->data() + b * source[i]->size());
  };
  for (Index b = 0; b < batch; ++b) {
    const auto x = SequenceView<const double>(packed.x.view()).sequences(b, 1);
    const auto dy = packed.output_gradient().sequences(b, 1);
    for (Index first = 0, last; first < time; first = last) {
      for (last = first + 1; last < time && !packed.input().starts(last, b);) ++last;
      const bool begins = packed.input().starts(first, b);
      auto state = begins ? layer.initial_state(1)
                          : state_after(layer, SequenceView<const double>(packed.warm_up.view()).sequences(b, 1));
      auto dstate = state_of_sequence(layer, dstate_of_all, batch, b);
      if (last < time)
        for (auto* m : matrices_of<L>(dstate)) m->setZero();
      const auto part = x.chunk(first, last - first);
      typename L::Cache cache;
      y.middleCols(b * time + first, last - first) =
          to_matrix(TypeParam::stochastic ? layer.infer(part, state, cache, context())
                                          : layer.forward(part, state, cache, context()));
      if (last == time) put(state, final_state, b);
      if (TypeParam::stochastic) continue;
      dx.middleCols(b * time + first, last - first) =
          to_matrix(layer.backward(dy.chunk(first, last - first), dstate, cache, context()));
      if (!begins) put(dstate, first_gradient, b);
    }
  }
  Results<double> parts;
  parts["y"] = y;
  add_state<L>(parts, "state", final_state);
  if (!TypeParam::stochastic) {
    parts["dx"] = dx;
    add_state<L>(parts, "dstate", first_gradient);
    add_gradients(parts, layer);
  }
  EXPECT_TRUE(equal_but_sums(whole, parts, kRounding<double>));
}

TYPED_TEST_P(Conformance, AResetSequenceGoesOnAsBehindAStart) {
  const auto check = [&]<class S>(S) {
    const auto layer = TestFixture::template make<S>(TestFixture::kOdd);
    using L = decltype(layer);
    const Index batch = 3;
    const Example example(layer, 2, batch);
    const auto carried = state_after(layer, SequenceView<const S>(example.warm_up.view()));
    for (Index b = 0; b < batch; ++b)
      for (const bool poisoned : {false, true}) {
        auto flagged = carried;
        if (poisoned) poison_state<std::remove_const_t<L>>(flagged, batch, b, std::numeric_limits<S>::quiet_NaN());
        auto was_reset = flagged, given = flagged;
        reset(layer, was_reset, b);
        reset(given, b, layer.initial_state(1));
        const auto flags = starts_at(2, batch, {{0, b}});
        const auto run = [&](SequenceView<const S> x, typename L::State& state) {
          typename L::Cache cache;
          Results<S> results;
          for (Index t = 0; t < 2; ++t)
            results["y " + std::to_string(t)] = layer.step(x.frame(t), state, cache, context()).matrix();
          add_state<std::remove_const_t<L>>(results, "state", state);
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

TYPED_TEST_P(Conformance, AResetThatDoesNotFitThrowsAndChangesNothing) {
  const auto layer = TestFixture::template make<float>();
  using L = std::remove_const_t<decltype(layer)>;
  auto state = state_after(layer, SequenceView<const float>(Example(layer, 1, 3).warm_up.view()));
  Index size = 0;
  for (const auto* m : matrices_of<L>(state)) size += m->size();
  if (size == 0) return;  // it remembers nothing
  Results<float> before, after;
  add_state<L>(before, "state", state);
  for (const Index b : {Index{3}, Index{-1}})
    EXPECT_EQ(this->message_of([&] { reset(layer, state, b); }),
              "reset: b: wanted at least 0 and below 3, given " + std::to_string(b));
  const std::string message = this->message_of([&] { reset(state, 0, layer.initial_state(2)); });
  EXPECT_TRUE(message.starts_with("reset: initial.") && message.find(", 1), given") != std::string::npos) << message;
  add_state<L>(after, "state", state);
  EXPECT_TRUE(equal(after, before));
}

TYPED_TEST_P(Conformance, NoOutputSeesTheFuture) {
  const auto check = [&](auto size, Index time, Index batch) {
    const auto layer = TestFixture::template make<float>(size);
    Example example(layer, time, batch);
    const auto trained = forward(layer, example)["y"], inferred = infer(layer, example)["y"];
    for (const Index t : {Index{0}, Index{1}, time / 2, time - 1}) {
      Example changed(layer, time, batch);
      for (Index b = 0; b < batch; ++b) changed.x.view().matrix(b).rightCols(time - t).array() += 1;
      const auto trained_after = forward(layer, changed)["y"], inferred_after = infer(layer, changed)["y"];
      for (Index b = 0; b < batch; ++b) {
        EXPECT_TRUE(equal<float>(trained.middleCols(b * time, t), trained_after.middleCols(b * time, t)));
        EXPECT_TRUE(equal<float>(inferred.middleCols(b * time, t), inferred_after.middleCols(b * time, t)));
        EXPECT_NE(inferred.col(b * time + t), inferred_after.col(b * time + t));  // the change is seen
      }
    }
  };
  check(TestFixture::kSmall, 9, 2);
  check(TestFixture::kOdd, 9, 2);
  check(TestFixture::kSmall, TestFixture::kLong, 1);  // time is divided into stretches
}

TYPED_TEST_P(Conformance, SequencesOfABatchAreIndependent) {
  const auto check = [&](Index time, Index batch) {
    const auto layer = TestFixture::template make<float>(TestFixture::kOdd);
    using L = std::remove_const_t<decltype(layer)>;
    const auto together = Example(layer, time, batch).from_carried_state();
    // A mask depends on the place in the batch: where there is one, infer alone is compared.
    const auto all = TypeParam::stochastic ? infer(layer, together) : train(layer, together);
    auto dstate = random_state_gradient(layer, batch);
    for (Index b = 0; b < batch; b += std::max<Index>(1, batch / 3)) {
      L copy = layer;
      auto state = state_after(copy, SequenceView<const float>(together.warm_up.view()).sequences(b, 1));
      auto gradient = state_of_sequence(copy, dstate, batch, b);
      typename L::Cache cache;
      const auto x = together.input().sequences(b, 1);
      const auto y = to_matrix(TypeParam::stochastic ? copy.infer(x, state, cache, context())
                                                     : copy.forward(x, state, cache, context()));
      EXPECT_TRUE(equal<float>(y, all.at("y").middleCols(b * time, time), "y"));
      const auto same = [&](const std::string& name, const Matrix<float>& m) {
        const Matrix<float>& whole = all.at(name);
        const Eigen::Map<const Matrix<float>> part(whole.data() + b * m.size(), m.rows(), m.cols());
        EXPECT_TRUE(equal<float>(m, part, name));
      };
      L::State::visit(state, Name{}, [&](const Name& name, auto& m) { same("state " + name.str(), m); });
      if (TypeParam::stochastic) continue;
      const auto dx = to_matrix(copy.backward(together.output_gradient().sequences(b, 1), gradient, cache, context()));
      EXPECT_TRUE(equal<float>(dx, all.at("dx").middleCols(b * time, time), "dx"));
      L::State::visit(gradient, Name{}, [&](const Name& name, auto& m) { same("dstate " + name.str(), m); });
    }
  };
  check(11, 3);
  check(5, 34);  // several sequences to a tile
}

TYPED_TEST_P(Conformance, AnyNumberOfThreadsGivesTheSameBits) {
  ThreadCount count;
  const auto check = [&]<class S>(S, Index time, Index batch, auto size) {
    const auto layer = TestFixture::template make<S>(size);
    auto example = Example(layer, time, batch).from_carried_state().with_starts({{time / 2, 0}, {time - 1, batch - 1}});
    count.use(1);
    const auto trained = train(layer, example), inferred = infer(layer, example);
    for (const int threads : {2, 4, 1}) {
      count.use(threads);
      EXPECT_TRUE(equal(train(layer, example), trained)) << threads << " threads";
      EXPECT_TRUE(equal(infer(layer, example), inferred)) << threads << " threads";
    }
  };
  check(float(), 7, 3, TestFixture::kSmall);
  check(float(), 70, 9, TestFixture::kOdd);
  check(float(), TestFixture::kLong, 1, TestFixture::kSmall);
  check(double(), TestFixture::kLong + 30, 3, TestFixture::kSmall);
}

TYPED_TEST_P(Conformance, TimeDividedIntoStretchesIsTheSameFunction) {
  const auto check = [&](Index time, Index batch) {
    const auto layer = TestFixture::template make<double>();
    const Tiling tiling(layer.output_size(), time, batch);
    ASSERT_GT(tiling.parts(), 1) << "this shape is not divided: choose a longer one";
    const Index border = tiling[0].last_step, undivided = 500;
    std::vector<Index> chunks(static_cast<std::size_t>(time / undivided), undivided);
    chunks.push_back(time % undivided);
    ASSERT_EQ(Tiling(layer.output_size(), undivided, batch).parts(), 1);
    for (const auto& example : TestFixture::examples(
             layer, time, batch,
             {{0, 0}, {border - 1, 0}, {border, 0}, {border + 1, 0}, {time - 1, 0}, {border, batch - 1}})) {
      // Stretches are composed and their sums taken in another order: rounding alone.
      const auto inferred = infer(layer, example);
      EXPECT_TRUE(close(stream(layer, example), inferred, kRounding<double>));
      EXPECT_TRUE(close(infer_chunks(layer, example, chunks), inferred, kRounding<double>));
      if (TypeParam::stochastic) continue;  // forward of a chunk draws another mask
      const auto whole = train(layer, example), parts = train_chunks(layer, example, chunks);
      EXPECT_TRUE(equal(inferred, values_of(whole)));
      EXPECT_TRUE(close(whole, parts, kRounding<double>));
      // A chunk may itself be divided.
      EXPECT_TRUE(close(train_chunks(layer, example, {time - 37, 37}), parts, kRounding<double>));
    }
  };
  check(TestFixture::kLong, 1);
  check(TestFixture::kLong + 30, 3);
}

TYPED_TEST_P(Conformance, ThreadsStreamFromOneLayer) {
  const auto layer = TestFixture::template make<float>(TestFixture::kOdd);
  const Example example(layer, 40, 2);
  const auto expected = stream(layer, example), whole = infer(layer, example);
  std::vector<Results<float>> streamed(4), inferred(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      streamed[i] = stream(layer, example);
      inferred[i] = infer(layer, example);
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(equal(streamed[i], expected));
    EXPECT_TRUE(equal(inferred[i], whole));
  }
}

TYPED_TEST_P(Conformance, CopiesAreIndependentAndMovedLayersWork) {
  const auto original = TestFixture::template make<float>();
  using L = std::remove_const_t<decltype(original)>;
  const Example example(original, 6, 2);
  const auto expected = train(original, example);
  const auto change = [](L& layer) {
    visit_parameters(layer, [](const Name&, auto& p) {
      p.value.array() += 1;
      p.grad.setConstant(5);
    });
  };

  L copy = original;
  EXPECT_TRUE(equal(train(copy, example), expected));
  change(copy);
  EXPECT_TRUE(equal(train(original, example), expected));
  copy = original;
  EXPECT_TRUE(equal(train(copy, example), expected));

  L moved = std::move(copy);
  EXPECT_TRUE(equal(train(moved, example), expected));
  const L other = TestFixture::template make<float>(TestFixture::kOdd, 2);
  const Example other_example(other, 6, 2);
  copy = other;  // a moved-from layer, given a value of another size
  EXPECT_TRUE(equal(train(copy, other_example), train(other, other_example)));
  EXPECT_TRUE(equal(train(moved, example), expected));
  moved = std::move(copy);
  EXPECT_TRUE(equal(train(moved, other_example), train(other, other_example)));

  // A cache may move between forward and backward, and a state is a value.
  L layer = original;
  zero_gradients(layer);
  typename L::Cache cache;
  auto state = example.state(layer);
  const auto initial = state;
  Results<float> results;
  results["y"] = to_matrix(layer.forward(example.input(), state, cache, context()));
  add_state<L>(results, "state", state);
  typename L::Cache moved_cache = std::move(cache);
  auto dstate = random_state_gradient(layer, 2);
  results["dx"] = to_matrix(layer.backward(example.output_gradient(), dstate, moved_cache, context()));
  add_state<L>(results, "dstate", dstate);
  add_gradients(results, layer);
  EXPECT_TRUE(equal(results, expected));
  cache = std::move(moved_cache);
  auto again = initial;
  EXPECT_TRUE(
      equal<float>(to_matrix(layer.infer(example.input(), again, cache, context())), infer(layer, example)["y"]));
}

TYPED_TEST_P(Conformance, ACacheMayBeUsedAgainForAnyShape) {
  const auto layer = TestFixture::template make<float>();
  using L = std::remove_const_t<decltype(layer)>;
  const L other = TestFixture::template make<float>(TestFixture::kOdd, 2);
  typename L::Cache cache;
  const auto check = [&](const L& used, Index time, Index batch) {
    const Example example(used, time, batch);
    EXPECT_TRUE(equal(train(used, example, cache), train(used, example))) << time << " steps of " << batch;
    auto state = example.state(used);
    EXPECT_TRUE(
        equal<float>(to_matrix(used.infer(example.input(), state, cache, context())), infer(used, example)["y"]));
    state = example.state(used);
    const auto frame = used.step(example.input().frame(0), state, cache, context()).matrix();
    EXPECT_TRUE(equal<float>(frame, [&] {
      auto fresh = example.state(used);
      typename L::Cache empty;
      return Matrix<float>(used.step(example.input().frame(0), fresh, empty).matrix());
    }()));
  };
  check(layer, 7, 3);
  check(layer, 3, 2);
  check(layer, 11, 5);
  check(layer, 11, 5);
  check(other, 4, 9);
  check(layer, 1, 1);
  check(layer, TestFixture::kLong, 1);
  check(layer, 7, 3);
}

TYPED_TEST_P(Conformance, EmptyBlocksAreLegal) {
  const auto layer = TestFixture::template make<float>();
  using L = std::remove_const_t<decltype(layer)>;
  for (const auto& [time, batch] : {std::pair<Index, Index>{0, 3}, {4, 0}}) {
    const auto example = batch > 0 ? Example(layer, time, batch).from_carried_state() : Example(layer, time, batch);
    L trained = layer;
    auto state = example.state(layer);
    Results<float> before, after;
    add_state<L>(before, "state", state);
    typename L::Cache cache;
    const auto y = trained.forward(example.input(), state, cache, context());
    EXPECT_EQ(y.features(), layer.output_size());
    EXPECT_EQ(y.time(), time);
    EXPECT_EQ(y.batch(), batch);
    add_state<L>(after, "state", state);
    auto dstate = random_state_gradient(layer, batch);
    add_state<L>(before, "dstate", dstate);
    const auto dx = trained.backward(example.output_gradient(), dstate, cache, context());
    EXPECT_EQ(dx.features(), layer.input_size());
    add_state<L>(after, "dstate", dstate);
    EXPECT_EQ(layer.infer(example.input(), state, cache, context()).size(), 0);
    zero_gradients(trained);
    before["none"] = after["none"] = Matrix<float>::Zero(1, 1);
    EXPECT_TRUE(TestFixture::agree(after, before));
    visit_parameters(trained, [](const Name& name, const auto& p) { EXPECT_TRUE(p.grad.isZero(0)) << name.str(); });
  }
}

TYPED_TEST_P(Conformance, FloatAgreesWithDouble) {
  const auto single = TestFixture::template make<float>(TestFixture::kOdd);
  auto twice = TestFixture::template make<double>(TestFixture::kOdd);
  using L = std::remove_const_t<decltype(single)>;
  std::vector<const Matrix<float>*> weights;
  visit_parameters(single, [&](const Name&, const auto& p) { weights.push_back(&p.value); });
  std::size_t next = 0;
  visit_parameters(twice, [&](const Name&, auto& p) {
    EXPECT_TRUE(close<double>(weights.at(next)->template cast<double>(), p.value, 1e-6));  // the same seed, rounded
    p.value = weights.at(next++)->template cast<double>();
  });
  EXPECT_EQ(next, weights.size());
  const auto example = Example(single, 20, 3).with_starts({{9, 1}});
  auto wide = Example(twice, 20, 3).with_starts({{9, 1}});
  for (auto [from, to] : {std::pair{&example.x, &wide.x}, {&example.dy, &wide.dy}})
    for (Index i = 0; i < from->size(); ++i) to->data()[i] = from->data()[i];
  Results<double> rounded;
  for (const auto& [name, m] : train<L>(single, example)) rounded[name] = m.template cast<double>();
  // 20 steps of sums of 35 products in float.
  EXPECT_TRUE(close(rounded, train(twice, wide), 1e-5));
}

TYPED_TEST_P(Conformance, WrongShapesThrowAndSayWhich) {
  auto layer = TestFixture::template make<float>();
  using L = decltype(layer);
  const Index inputs = layer.input_size(), outputs = layer.output_size(), time = 4, batch = 3;
  Random random(3);
  const auto good = random_sequence<float>(inputs, time, batch, random);
  const auto wide = random_sequence<float>(inputs + 1, time, batch, random);
  typename L::Cache cache;
  const auto fresh = [&] { return layer.initial_state(batch); };
  const auto expect = [&](const char* what, const std::string& argument, const std::string& wanted,
                          const std::string& given, auto&& body) {
    const std::string message = this->message_of(body);
    for (const std::string& part : {argument, wanted, given})
      EXPECT_NE(message.find(part), std::string::npos) << what << " says '" << message << "', without '" << part << "'";
    EXPECT_NE(message.find(": "), std::string::npos) << what << " names no layer: " << message;
  };
  const std::string wide_shape = minrnn::detail::shape_text(inputs + 1, time, batch);
  auto state = fresh();
  expect("forward", "x", std::to_string(inputs), wide_shape,
         [&] { layer.forward(wide.view(), state, cache, context()); });
  expect("infer", "x", std::to_string(inputs), wide_shape, [&] { layer.infer(wide.view(), state, cache, context()); });
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

REGISTER_TYPED_TEST_SUITE_P(Conformance, MeetsTheConcept, GradientsEqualCentralDifferences, GradientsAccumulate,
                            StepInferAndForwardAgree, ChunksWithTheStateCarriedAreOneCall,
                            SegmentsOfAPackedBatchAreTheirOwnSequences, AResetSequenceGoesOnAsBehindAStart,
                            AResetThatDoesNotFitThrowsAndChangesNothing, NoOutputSeesTheFuture,
                            SequencesOfABatchAreIndependent, AnyNumberOfThreadsGivesTheSameBits,
                            TimeDividedIntoStretchesIsTheSameFunction, ThreadsStreamFromOneLayer,
                            CopiesAreIndependentAndMovedLayersWork, ACacheMayBeUsedAgainForAnyShape,
                            EmptyBlocksAreLegal, FloatAgreesWithDouble, WrongShapesThrowAndSayWhich);

/// What a layer promises that carries what it saw for any time.
template <class Descriptor>
class MixerConformance : public ::testing::Test {};

TYPED_TEST_SUITE_P(MixerConformance);

TYPED_TEST_P(MixerConformance, LearnsToHoldAnImpulse) {
  // 1 in the first feature at a random early step; from there to the end the output shall be 1, before it 0.
  constexpr Index kTime = 24, kBatch = 16;
  constexpr int kSteps = 400;
  constexpr double kLoss = 0.01;  // always 0 scores about 0.9, always the mean about 0.1
  Random random(11);
  auto mixer = TypeParam::template make<float>(2, 8, random.stream(2 * TypeParam::learning_stream));
  Linear<float> readout(mixer.output_size(), 1, random.stream(2 * TypeParam::learning_stream + 1));
  AdamOptions<float> options;
  options.learning_rate = 0.03f;
  Adam<float> adam_mixer(mixer, options), adam_readout(readout, options);
  typename decltype(mixer)::Cache cache;
  Linear<float>::Cache readout_cache;
  Sequence<float> x(2, kTime, kBatch), target(1, kTime, kBatch), dy(1, kTime, kBatch);
  double loss = 0;
  for (int step = 0; step < kSteps; ++step) {
    for (Index b = 0; b < kBatch; ++b) {
      const Index impulse = static_cast<Index>(random.below(6));
      for (Index t = 0; t < kTime; ++t) {
        x.view().column(t, b)[0] = t == impulse ? 1.0f : 0.0f;
        x.view().column(t, b)[1] = static_cast<float>(random.symmetric(0.5));  // to be ignored
        *target.view().column(t, b) = t >= impulse ? 1.0f : 0.0f;
      }
    }
    auto state = mixer.initial_state(kBatch);
    NoState none;
    const auto y = readout.forward(mixer.forward(x.view(), state, cache, context()), none, readout_cache);
    loss = 0;
    for (Index i = 0; i < dy.size(); ++i) {
      const float error = y.data()[i] - target.data()[i];
      loss += static_cast<double>(error) * static_cast<double>(error) / static_cast<double>(dy.size());
      dy.data()[i] = 2 * error / static_cast<float>(dy.size());
    }
    zero_gradients(mixer);
    zero_gradients(readout);
    mixer.backward(readout.backward(dy.view(), readout_cache, context()), cache);
    adam_mixer.step(mixer);
    adam_readout.step(readout);
  }
  this->RecordProperty("loss", std::to_string(loss));
  EXPECT_LT(loss, kLoss) << "after " << kSteps << " steps";
}

REGISTER_TYPED_TEST_SUITE_P(MixerConformance, LearnsToHoldAnImpulse);

}  // namespace minrnn::tests

/// Tests the layers of conformance::Group.
#define MINRNN_TEST_CONFORMANCE(Group)                                          \
  namespace minrnn::tests {                                                     \
  using Group##Types = TypesOf<conformance::Group>::type;                       \
  INSTANTIATE_TYPED_TEST_SUITE_P(Group, Conformance, Group##Types, LayerNames); \
  INSTANTIATE_TYPED_TEST_SUITE_P(Group, Poison, Group##Types, LayerNames);      \
  INSTANTIATE_TYPED_TEST_SUITE_P(Group, Misuse, Group##Types, LayerNames);      \
  }                                                                             \
  static_assert(true)

/// The same for a group of mixers.
#define MINRNN_TEST_MIXER_CONFORMANCE(Group)                                         \
  MINRNN_TEST_CONFORMANCE(Group);                                                    \
  namespace minrnn::tests {                                                          \
  INSTANTIATE_TYPED_TEST_SUITE_P(Group, MixerConformance, Group##Types, LayerNames); \
  }                                                                                  \
  static_assert(true)
