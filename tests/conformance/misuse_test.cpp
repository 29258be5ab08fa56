// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "conformance/fixture.hpp"
#include "support/compare.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

/// Calls that are natural and must be right, and calls that are wrong and must say so.
namespace minrnn::tests {
namespace {

class Misuse : public LayerTest {
 protected:
  static constexpr Index kSquare = 6;  // input and output of the same size, so that a result may be an argument
};

TEST_P(Misuse, AResultMayBeTheNextArgument) {
  const auto check = [&]<class S>(S, Index size, Index time, Index batch) {
    auto layer = make<S>({size, size});
    if (layer.output_size() != size) GTEST_SKIP() << "gives more features than it takes";
    using L = decltype(layer);
    const Example<L> example(layer, time, batch);
    const auto copy_of = [](SequenceView<const S> view) {
      Sequence<S> copy(view.features(), view.time(), view.batch());
      for (Index b = 0; b < view.batch(); ++b) copy.view().matrix(b) = view.matrix(b);
      return copy;
    };
    const auto expect_same = [](SequenceView<const S> found, SequenceView<const S> wanted, const char* what) {
      EXPECT_TRUE(equal<S>(to_matrix(found), to_matrix(wanted), what));
    };
    if (layer.is_causal()) {
      auto state = example.state(layer), other_state = state;
      typename L::Cache cache, other_cache;
      FrameView<const S> y = example.input().frame(0);
      Matrix<S> wanted = y.matrix();
      for (int i = 0; i < 7; ++i) {
        y = layer.step(y, state, cache, context());
        wanted = Matrix<S>(layer.step(wanted, other_state, other_cache, context()).matrix());
        EXPECT_TRUE(equal<S>(Matrix<S>(y.matrix()), wanted, "y of a step")) << i;
      }
    }
    {
      auto state = example.state(layer), other_state = state;
      typename L::Cache cache, other_cache;
      SequenceView<const S> y = example.input();
      Sequence<S> wanted = copy_of(y);
      for (int i = 0; i < 4; ++i) {
        y = layer.infer(y, state, cache, context());
        wanted = copy_of(layer.infer(wanted.view(), other_state, other_cache, context()));
        expect_same(y, wanted.view(), "y of infer");
      }
    }
    if (layer.is_causal()) {
      // What one sequence gave goes on as three: a larger result, beside the one that it reads.
      auto state = layer.initial_state(1), three = layer.initial_state(3), other = three;
      typename L::Cache cache, other_cache;
      const FrameView<const S> y = layer.step(example.input().sequences(0, 1).frame(0), state, cache, context());
      const Matrix<S> wanted = y.matrix().col(0).replicate(1, 3);
      const Matrix<S> found =
          layer.step(FrameView<const S>(y.data(), y.features(), 3, 0), three, cache, context()).matrix();
      EXPECT_TRUE(
          equal<S>(found, Matrix<S>(layer.step(wanted, other, other_cache, context()).matrix()), "y of a fork"));
    }
    // A forward of what `first` gives, which lies in the cache, is one of a copy; and so is its backward.
    const auto check_forward = [&](const char* what, auto&& first) {
      SCOPED_TRACE(what);
      typename L::Cache cache, other_cache;
      const SequenceView<const S> x = first(cache);
      const Sequence<S> copy = copy_of(x);
      auto state = layer.initial_state(x.batch()), other_state = state;
      L trained = layer, other = layer;
      zero_gradients(trained);
      zero_gradients(other);
      const SequenceView<const S> y = trained.forward(x, state, cache, context());
      const Sequence<S> wanted = copy_of(other.forward(copy.view(), other_state, other_cache, context()));
      expect_same(y, wanted.view(), "y of forward");
      for (int repeat = 0; repeat < 2; ++repeat)  // a second backward reads the same again; dL/dy is y
        expect_same(trained.backward(y, cache, context()), other.backward(wanted.view(), other_cache, context()), "dx");
      Results<S> gradients, wanted_gradients;
      gradients["none"] = wanted_gradients["none"] = Matrix<S>::Zero(1, 1);
      add_gradients(gradients, trained);
      add_gradients(wanted_gradients, other);
      EXPECT_TRUE(equal(gradients, wanted_gradients));
    };
    check_forward("after forward", [&](auto& cache) {
      auto state = example.state(layer);
      return layer.forward(example.input(), state, cache, context());
    });
    check_forward("after infer", [&](auto& cache) {
      auto state = example.state(layer);
      return layer.infer(example.input(), state, cache, context());
    });
    if (layer.is_causal())
      check_forward("after step", [&](auto& cache) {
        auto state = example.state(layer);
        return layer.step(example.input().frame(0), state, cache, context()).sequence();
      });
    check_forward("after backward", [&](auto& cache) {
      auto state = example.state(layer);
      layer.forward(example.input(), state, cache, context());
      return layer.backward(example.output_gradient(), cache, context());
    });
  };
  check(float(), kSquare, 5, 3);
  check(float(), 40, 3, 1);
  check(float(), kSquare, kLong, 1);
  check(double(), kSquare, 70, 2);
}

TEST_P(Misuse, TheZeroOfAStateIsZero) {
  const auto layer = make<double>();
  auto zero = zero_state(layer, 3);
  for (const auto* m : matrices_of<AnyLayer<double>>(zero)) EXPECT_TRUE(m->isZero(0));
}

TEST_P(Misuse, BackwardRefusesACacheThatForwardDidNotUseLast) {
  auto layer = make<float>();
  using L = decltype(layer);
  auto wider = make<float>(kOdd);
  const Example<L> example(layer, 7, 3);
  zero_gradients(layer);
  zero_gradients(wider);
  const auto forward = [&](L::Cache& cache) {
    auto state = example.state(layer);
    layer.forward(example.input(), state, cache, context());
  };
  const auto expect_refused = [&](const char* what, L& of, SequenceView<const float> dy, L::Cache& cache) {
    const std::string message = message_of<std::invalid_argument>([&] { of.backward(dy, cache, context()); });
    EXPECT_NE(message.find(": cache: wanted"), std::string::npos) << what << ": " << message;
    visit_parameters(of, [&](const Name& name, const auto& p) { EXPECT_TRUE(p.grad.isZero(0)) << name.str(); });
  };
  const SequenceView<const float> dy = example.output_gradient();
  L::Cache fresh;
  expect_refused("a new cache", layer, dy, fresh);
  {
    L::Cache cache;
    auto state = example.state(layer);
    layer.infer(example.input(), state, cache, context());
    expect_refused("infer alone", layer, dy, cache);
    forward(cache);
    state = example.state(layer);
    layer.infer(example.input(), state, cache, context());
    expect_refused("forward, then infer", layer, dy, cache);
    if (layer.is_causal()) {
      forward(cache);
      state = example.state(layer);
      layer.step(example.input().frame(0), state, cache, context());
      expect_refused("forward, then step", layer, dy, cache);
    }
    forward(cache);
    layer.backward(dy, cache, context());  // forward makes it good again
    zero_gradients(layer);
  }
  {
    L::Cache cache;
    forward(cache);
    L::Cache moved = std::move(cache);
    expect_refused("moved from", layer, dy, cache);
    layer.backward(dy, moved);
    zero_gradients(layer);
    auto& same = moved;
    moved = std::move(same);
    expect_refused("moved to itself", layer, dy, moved);
  }
  {
    // A forward that throws half-way leaves nothing that a backward would take.
    L::Cache cache;
    forward(cache);
    auto short_state = layer.initial_state(2);
    if (!matrices_of<L>(short_state).empty()) {
      const Example<L> next(layer, 7, 3, 8);
      EXPECT_THROW(layer.forward(next.input(), short_state, cache, context()), std::invalid_argument);
      L copy = layer, other = layer;
      L::Cache of_first;
      forward(of_first);
      try {
        const auto found = to_matrix(copy.backward(dy, cache, context()));
        EXPECT_TRUE(equal<float>(found, to_matrix(other.backward(dy, of_first)))) << "neither refused nor as before";
      } catch (const std::invalid_argument&) {
      }
    }
  }
  if (wider.input_size() != layer.input_size() || wider.output_size() != layer.output_size()) {
    L::Cache cache;
    forward(cache);
    const Example<L> other(wider, 7, 3);
    expect_refused("of a narrower layer", wider, other.output_gradient(), cache);
  }
}

TEST_P(Misuse, AMovedFromLayerSaysSo) {
  auto layer = make<float>();
  using L = decltype(layer);
  const Example<L> example(layer, 4, 2);
  L::Cache cache;
  auto state = example.state(layer);
  layer.forward(example.input(), state, cache, context());
  L taken = std::move(layer);
  // A clear error, or the natural answer of a layer without parameters; never a crash.
  const auto attempt = [](auto&& body) {
    try {
      body();
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(": "), std::string::npos) << error.what();
    }
  };
  Sequence<float> nothing(0, 4, 2);
  for (const SequenceView<const float> x : {example.input(), SequenceView<const float>(nothing.view())}) {
    attempt([&] { layer.backward(example.output_gradient(), cache, context()); });
    attempt([&] { layer.backward(x, cache, context()); });
    attempt([&] { layer.forward(x, state, cache, context()); });
    attempt([&] { layer.infer(x, state, cache, context()); });
    attempt([&] {
      auto fresh = layer.initial_state(2);
      layer.forward(x, fresh, cache, context());
    });
    if (!taken.is_causal()) continue;
    attempt([&] { layer.step(x.frame(0), state, cache, context()); });
    attempt([&] {
      auto fresh = layer.initial_state(2);
      layer.step(x.frame(0), fresh, cache, context());
    });
  }
  attempt([&] { layer.input_size(); });
  attempt([&] { layer.output_size(); });
  EXPECT_GE(parameter_count(layer), 0);
  EXPECT_TRUE(equal(train(taken, example), train(make<float>(), example)));
}

TEST_P(Misuse, NoLayerTakesSizesThatAreNone) {
  const auto layer = make<float>();
  EXPECT_NE(message_of<std::invalid_argument>([&] { layer.initial_state(-1); }).find("batch: wanted at least 0"),
            std::string::npos);
  constexpr Index kHuge = Index{1} << (std::numeric_limits<Index>::digits - 3);
  for (const auto& [inputs, outputs] : {std::pair<Index, Index>{5, kHuge}, {kHuge, 7}, {5, -1}, {-1, 7}, {0, 7}}) try {
      const auto made = make<float>({inputs, outputs});
      EXPECT_TRUE(made.input_size() == 5 && made.output_size() != outputs) << inputs << ", " << outputs << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(": wanted "), std::string::npos) << error.what();
    }
}

MINRNN_TEST_ALL_LAYERS(Misuse);

}  // namespace
}  // namespace minrnn::tests
