// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/optim/adam.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "minrnn/core/random.hpp"
#include "support/compare.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

template <class S>
struct Two {
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

template <Index rows, Index columns>
struct One {
  Parameter<float> w{rows, columns};
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
  }
};

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
  EXPECT_EQ(asked, (std::vector<std::pair<std::string, int>>{{"w", 2}, {"b", 1}}));
  adam.step(layer);  // all gradients are zero
  EXPECT_EQ(layer.w.value, before.w.value);
  EXPECT_TRUE(close<double>(layer.b.value, 0.75 * before.b.value, 1e-15));
}

TEST(Adam, WithoutAGradientNothingMovesButWhatDecays) {
  Two<float> layer;
  const Two<float> before = layer;
  Adam<float> adam(layer);
  adam.step(layer);
  EXPECT_EQ(layer.w.value, before.w.value);
  EXPECT_EQ(layer.b.value, before.b.value);
}

TEST(Adam, GivesTheSameBitsOnAnyNumberOfThreads) {
  const auto run = [] {
    One<300, 200> layer;
    Random random(1);
    fill_normal(layer.w.value, random, 1);
    Adam<float> adam(layer);
    for (int i = 0; i < 3; ++i) {
      fill_normal(layer.w.grad, random, 1);
      adam.step(layer);
    }
    return layer.w.value;
  };
  const ThreadCount count;
  count.use(1);
  const Matrix<float> one = run();
  for (const int threads : {2, 4}) {
    count.use(threads);
    EXPECT_TRUE(equal<float>(run(), one));
  }
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
