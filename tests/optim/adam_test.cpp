// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/optim/adam.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "minrnn/core/random.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/optim/clip.hpp"
#include "minrnn/optim/optimizer.hpp"
#include "support/compare.hpp"

namespace minrnn::tests {
namespace {

template <class S>
struct Two {
  using Scalar = S;
  Parameter<S> w{3, 2}, b{3};

  explicit Two(std::uint64_t seed = 1) {
    Random random(seed);
    fill_normal(w.value, random, 1);
    fill_normal(b.value, random, 1);
  }
  void draw_gradients(Random& random) {
    fill_normal(w.grad, random, 1);
    fill_normal(b.grad, random, 1);
  }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
    visitor(scope / "b", self.b);
  }
};

template <Index rows, Index columns, class S = float>
struct One {
  Parameter<S> w{rows, columns};
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
  }
};

static_assert(Optimizer<Adam<float>, Two<float>> && Optimizer<Adam<double>, Two<double>>);

struct Renamed : One<3, 2> {
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "v", self.w);
  }
};

/// The equations of Adam for one number.
struct Scalar {
  double value, first = 0, second = 0;

  void step(double grad, int t, const AdamOptions<double>& o, bool decays) {
    if (decays) value *= 1 - o.learning_rate * o.weight_decay;
    first = o.beta1 * first + (1 - o.beta1) * grad;
    second = o.beta2 * second + (1 - o.beta2) * grad * grad;
    const double first_hat = first / (1 - std::pow(o.beta1, t)), second_hat = second / (1 - std::pow(o.beta2, t));
    value -= o.learning_rate * first_hat / (std::sqrt(second_hat) + o.epsilon);
  }
};

TEST(Adam, FollowsItsEquationsForTwoTensors) {
  AdamOptions<double> options{.learning_rate = 0.01, .weight_decay = 0.1};
  Two<double> layer;
  Adam<double> adam(layer, options);
  EXPECT_EQ(adam.steps(), 0);
  std::vector<Scalar> w, b;
  for (Index i = 0; i < 6; ++i) w.push_back({layer.w.value.data()[i]});
  for (Index i = 0; i < 3; ++i) b.push_back({layer.b.value.data()[i]});
  Random random(2);
  for (int t = 1; t <= 20; ++t) {
    if (t == 11) adam.options.learning_rate = options.learning_rate = 0.002;  // a schedule
    layer.draw_gradients(random);
    const Matrix<double> grad = layer.w.grad;
    for (Index i = 0; i < 6; ++i) w[static_cast<std::size_t>(i)].step(grad.data()[i], t, options, true);
    for (Index i = 0; i < 3; ++i) b[static_cast<std::size_t>(i)].step(layer.b.grad.data()[i], t, options, false);
    adam.step(layer);
    EXPECT_EQ(adam.steps(), t);
    EXPECT_EQ(layer.w.grad, grad) << "gradients stay as they are";
  }
  for (Index i = 0; i < 6; ++i) EXPECT_NEAR(layer.w.value.data()[i], w[static_cast<std::size_t>(i)].value, 1e-14);
  for (Index i = 0; i < 3; ++i) EXPECT_NEAR(layer.b.value.data()[i], b[static_cast<std::size_t>(i)].value, 1e-14);
}

TEST(Adam, HasTheScalarOfTheNet) {
  Two<double> net;
  const Two<float> narrow;
  Adam plain(net);
  static_assert(std::is_same_v<decltype(plain), Adam<double>>);
  Adam with_options(narrow, {.learning_rate = 0.25f, .weight_decay = 0.5f});
  static_assert(std::is_same_v<decltype(with_options), Adam<float>>);
  EXPECT_EQ(with_options.options.learning_rate, 0.25f);
  const AdamOptions<double> options{.learning_rate = 0.125};
  Adam with_named_options(net, options);
  static_assert(std::is_same_v<decltype(with_named_options), Adam<double>>);
  EXPECT_EQ(with_named_options.options.learning_rate, 0.125);
  with_named_options.step(net);
  Adam copy(with_named_options);
  static_assert(std::is_same_v<decltype(copy), Adam<double>>);
  EXPECT_EQ(copy.steps(), 1);
}

TEST(Adam, FirstStepIsTheLearningRateWhateverTheGradient) {
  Two<float> layer;
  const Two<float> before = layer;
  AdamOptions<float> options;
  options.learning_rate = 0.125f;
  Adam<float> adam(layer, options);
  layer.w.grad.setConstant(1e-3f);
  layer.b.grad.setConstant(-1e3f);
  adam.step(layer);
  EXPECT_NEAR(before.w.value(1, 1) - layer.w.value(1, 1), 0.125f, 1e-5);
  EXPECT_NEAR(layer.b.value(2, 0) - before.b.value(2, 0), 0.125f, 1e-5);
}

TEST(Adam, DecaysTheParametersThatWereChosenByName) {
  AdamOptions<double> options{.learning_rate = 0.5, .weight_decay = 0.5};
  std::vector<std::pair<std::string, int>> asked;
  options.decays = [&](const std::string& name, int rank) {
    asked.emplace_back(name, rank);
    return name == "b";
  };
  Two<double> layer;
  const Two<double> before = layer;
  Adam<double> adam(layer, options);
  adam.step(layer);  // all gradients are zero
  EXPECT_EQ(asked, (std::vector<std::pair<std::string, int>>{{"w", 2}, {"b", 1}}));
  EXPECT_EQ(layer.w.value, before.w.value);
  EXPECT_TRUE(close<double>(layer.b.value, 0.75 * before.b.value, 1e-15));
}

TEST(Adam, TakesEveryOptionThatWasChangedBetweenSteps) {
  Two<double> layer;
  const Two<double> before = layer;
  Adam<double> adam(layer, {.learning_rate = 0.5, .weight_decay = 0.5});
  adam.options.decays = [](const std::string& name, int) { return name == "b"; };
  adam.step(layer);
  EXPECT_EQ(layer.w.value, before.w.value);
  EXPECT_TRUE(close<double>(layer.b.value, 0.75 * before.b.value, 1e-15));
  adam.options.decays = [](const std::string&, int) { return true; };
  adam.options.weight_decay = 1;
  layer.b.decays = false;
  adam.step(layer);
  EXPECT_TRUE(close<double>(layer.w.value, 0.5 * before.w.value, 1e-15));
  EXPECT_TRUE(close<double>(layer.b.value, 0.75 * before.b.value, 1e-15));
}

TEST(Adam, RefusesOptionsOutOfTheirRangeAndChangesNothing) {
  Two<float> layer;
  Random random(1);
  layer.draw_gradients(random);
  const Two<float> before = layer;
  const AdamOptions<float> right;
  const auto refused = [&](auto&& spoil) -> std::string {
    AdamOptions<float> wrong;
    spoil(wrong);
    EXPECT_THROW(Adam<float>(layer, wrong), std::invalid_argument);
    Adam<float> adam(layer, right);
    adam.options = wrong;
    std::string message = "nothing thrown";
    try {
      adam.step(layer);
    } catch (const std::invalid_argument& error) {
      message = error.what();
    }
    EXPECT_EQ(layer.w.value, before.w.value);
    EXPECT_EQ(layer.b.value, before.b.value);
    EXPECT_EQ(adam.steps(), 0);
    return message;
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {-1.0f, kNan, kInfinity, -kInfinity}) {
    const std::string end = ": wanted a finite number of at least 0, given " + std::to_string(bad);
    EXPECT_EQ(refused([&](auto& o) { o.learning_rate = bad; }), "Adam::step: learning_rate" + end);
    EXPECT_EQ(refused([&](auto& o) { o.epsilon = bad; }), "Adam::step: epsilon" + end);
    EXPECT_EQ(refused([&](auto& o) { o.weight_decay = bad; }), "Adam::step: weight_decay" + end);
  }
  for (const float bad : {1.0f, 1.5f, -0.1f, kNan}) {
    const std::string end = ": wanted a number of at least 0 and below 1, given " + std::to_string(bad);
    EXPECT_EQ(refused([&](auto& o) { o.beta1 = bad; }), "Adam::step: beta1" + end);
    EXPECT_EQ(refused([&](auto& o) { o.beta2 = bad; }), "Adam::step: beta2" + end);
  }
  EXPECT_EQ(refused([](auto& o) { o.decays = nullptr; }), "Adam::step: decays: wanted a function, given none");

  Adam<float> adam(layer);
  adam.options.decays = [](const std::string& name, int) -> bool {
    if (name == "b") throw std::runtime_error("of the user");
    return true;
  };
  EXPECT_THROW(adam.step(layer), std::runtime_error);
  EXPECT_EQ(layer.w.value, before.w.value);
  EXPECT_EQ(adam.steps(), 0);
}

/// The value of one number after steps with these gradients.
template <class S>
double after(std::initializer_list<double> gradients, const AdamOptions<S>& options) {
  One<1, 1, S> layer;
  Adam<S> adam(layer, options);
  for (const double g : gradients) {
    layer.w.grad.setConstant(static_cast<S>(g));
    adam.step(layer);
  }
  return static_cast<double>(layer.w.value(0, 0));
}

TEST(Adam, MovesAsInDoubleForEveryFiniteGradient) {
  // The weight that one gradient of 1e20 reached moves on with those that follow.
  for (const double g : {1e20, -1e30, 3.4e38, 1e-25, 1e-36}) {
    const double wanted = after<double>({g, g, -g / 2, g / 8}, {.epsilon = 0});
    EXPECT_NEAR(after<float>({g, g, -g / 2, g / 8}, {.epsilon = 0}) / wanted, 1, 1e-4) << g;  // 4 roundings of 0.1 %
  }
  const double before = after<float>({1e20}, {.beta2 = 0.5f});
  std::initializer_list<double> and_then{1e20, 1, 1, 1};
  EXPECT_NEAR(before, -1e-3, 1e-9);
  EXPECT_NEAR(after<float>(and_then, {.beta2 = 0.5f}) / after<double>(and_then, {.beta2 = 0.5}), 1, 1e-5);
  for (const double g : {1e200, 1.7e308, 1e-200}) {
    const double wanted = after<double>({1, 1, -0.5, 0.125}, {.epsilon = 0});
    EXPECT_NEAR(after<double>({g, g, -g / 2, g / 8}, {.epsilon = 0}) / wanted, 1, 1e-13) << g;
  }
  EXPECT_EQ(after<float>({3.4e38, -3.4e38}, {.beta1 = 0.5f}), after<float>({1, -1}, {.beta1 = 0.5f}));
  EXPECT_EQ(after<float>({0, 0}, {.epsilon = 0}), 0) << "nothing, not NaN";
  EXPECT_LE(std::abs(after<float>({1e-40, 1e-40}, {})), 2e-3) << "a denormal number does no harm";
}

TEST(Adam, WithoutAGradientNothingMovesButWhatDecays) {
  Two<float> layer;
  const Two<float> before = layer;
  Adam<float> adam(layer);
  adam.step(layer);
  EXPECT_EQ(layer.w.value, before.w.value);
  EXPECT_EQ(layer.b.value, before.b.value);
}

TEST(Adam, GivesTheSameBitsOnAnyExecutor) {
  const auto run = [](const Context& context) {
    One<300, 200> layer;  // more than one tile
    Random random(1);
    fill_normal(layer.w.value, random, 1);
    Adam<float> adam(layer);
    for (int i = 0; i < 3; ++i) {
      fill_normal(layer.w.grad, random, 1);
      if (i == 1) layer.w.grad.middleRows(100, 50).setConstant(std::numeric_limits<float>::quiet_NaN());
      EXPECT_EQ(adam.step(layer, context), i != 1);
    }
    return layer.w.value;
  };
  const Matrix<float> alone = run({});
  for (const Index workers : {1, 2, 3, 5}) {
    ThreadPool pool(workers, 0);
    EXPECT_TRUE(equal<float>(run({.executor = &pool}), alone)) << workers;
  }
}

/// Value and moments of every parameter, and the count of steps.
template <class S, class L>
std::vector<Matrix<S>> all_of(L& layer, Adam<S>& adam) {
  std::vector<Matrix<S>> all;
  visit_parameters(layer, [&](const Name&, const auto& p) { all.push_back(p.value); });
  Adam<S>::visit(adam, Name{}, [&](const Name&, const auto& m) {
    if constexpr (std::is_same_v<decltype(m), const Matrix<S>&>)
      all.push_back(m);
    else
      all.push_back(Matrix<S>::Constant(1, 1, static_cast<S>(m)));
  });
  return all;
}

template <class S>
void expect_gradients_that_are_no_numbers_to_move_nothing() {
  constexpr S kNan = std::numeric_limits<S>::quiet_NaN(), kInfinity = std::numeric_limits<S>::infinity();
  // More than one tile, and a rest that fills no packet; what is wrong stands anywhere in a packet, in the rest, at
  // tiles' ends.
  constexpr Index kSize = 8192 + 67;
  Random random(3);
  One<kSize, 1, S> layer, clean;
  fill_normal(layer.w.value, random, 1);
  clean.w.value = layer.w.value;
  const AdamOptions<S> options{.weight_decay = S(0.5)};
  Adam adam(layer, options), of_clean(clean, options);
  for (int step = 0; step < 3; ++step) {
    fill_normal(layer.w.grad, random, 1);
    clean.w.grad = layer.w.grad;
    EXPECT_TRUE(of_clean.step(clean));
    const std::vector<Matrix<S>> before = all_of(layer, adam);
    std::vector<Index> wrong;
    if (step == 1) wrong = {0, 5, 6, 7, 100, 8191, 8192, 8200, kSize - 2, kSize - 1};
    for (std::size_t i = 0; i < wrong.size(); ++i)
      layer.w.grad(wrong[i]) = i % 3 == 0 ? kNan : i % 3 == 1 ? kInfinity : -kInfinity;
    EXPECT_EQ(adam.step(layer), wrong.empty());
    EXPECT_EQ(adam.steps(), step + 1);
    const std::vector<Matrix<S>> after = all_of(layer, adam);
    for (const Index i : wrong) {
      for (const std::size_t of : {std::size_t{0}, std::size_t{2}, std::size_t{3}})
        EXPECT_EQ(after[of](i), before[of](i)) << i;
      layer.w.value(i) = clean.w.value(i);  // from here on those, too
    }
    Index differ = 0;
    for (Index i = 0; i < kSize; ++i) differ += layer.w.value(i) != clean.w.value(i);
    EXPECT_EQ(differ, step == 2 ? 10 : 0) << "the others move as if nothing had been wrong";
  }
}

TEST(Adam, LeavesAWeightWhoseGradientIsNoNumberAndMovesTheOthers) {
  expect_gradients_that_are_no_numbers_to_move_nothing<float>();
  expect_gradients_that_are_no_numbers_to_move_nothing<double>();
}

TEST(Adam, TakesNoStepWhereNoGradientIsANumber) {
  Two<float> layer;
  Random random(1);
  Adam adam(layer, {.weight_decay = 0.5f});
  layer.draw_gradients(random);
  EXPECT_TRUE(adam.step(layer));
  const auto before = all_of(layer, adam);
  visit_parameters(layer, [](const Name&, auto& p) { p.grad.setConstant(std::numeric_limits<float>::quiet_NaN()); });
  EXPECT_FALSE(adam.step(layer));
  EXPECT_EQ(all_of(layer, adam), before);
  EXPECT_EQ(adam.steps(), 1);
}

TEST(Adam, TakesNoStepBehindAClipThatFoundOneGradientOfNan) {
  Two<float> layer, undisturbed;
  Adam adam(layer), of_undisturbed(undisturbed);
  Random random(1);
  for (int step = 0; step < 4; ++step) {
    layer.draw_gradients(random);
    if (step == 2) {
      layer.b.grad(1, 0) = std::numeric_limits<float>::quiet_NaN();
      const auto before = all_of(layer, adam);
      EXPECT_TRUE(std::isnan(clip_gradient_norm(layer, 1)));
      EXPECT_FALSE(adam.step(layer));
      EXPECT_EQ(all_of(layer, adam), before);
      continue;
    }
    undisturbed.w.grad = layer.w.grad;
    undisturbed.b.grad = layer.b.grad;
    EXPECT_GT(clip_gradient_norm(layer, 1), 1);
    EXPECT_TRUE(adam.step(layer));
    clip_gradient_norm(undisturbed, 1);
    of_undisturbed.step(undisturbed);
  }
  EXPECT_EQ(all_of(layer, adam), all_of(undisturbed, of_undisturbed)) << "as if there had been no such batch";
}

TEST(Adam, RefusesOtherParametersAndChangesNothing) {
  Two<float> two, wide;
  One<3, 2> one;
  Renamed renamed;
  wide.b = Parameter<float>(4);
  Adam<float> of_two(two), of_one(one);
  const auto refused = [](auto& adam, auto& layer) -> std::string {
    visit_parameters(layer, [](const Name&, auto& p) { p.grad.setOnes(); });
    std::vector<Matrix<float>> before, after;
    visit_parameters(layer, [&](const Name&, auto& p) { before.push_back(p.value); });
    std::string message = "nothing thrown";
    try {
      adam.step(layer);
    } catch (const std::invalid_argument& error) {
      message = error.what();
    }
    visit_parameters(layer, [&](const Name&, auto& p) { after.push_back(p.value); });
    EXPECT_EQ(after, before);
    EXPECT_EQ(adam.steps(), 0);
    return message;
  };
  EXPECT_EQ(refused(of_two, one), "Adam::step: layer: wanted 2 parameters, given 1");
  EXPECT_EQ(refused(of_one, two), "Adam::step: layer: wanted 1 parameters, given more, from b");
  EXPECT_EQ(refused(of_two, wide), "Adam::step: b: wanted (3, 1), given (4, 1)");
  EXPECT_EQ(refused(of_one, renamed), "Adam::step: parameter 0: wanted w, given v");
}

}  // namespace
}  // namespace minrnn::tests
