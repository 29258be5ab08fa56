// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/min_gru.hpp"

#include <gtest/gtest.h>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "support/compare.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

// What every layer does, the conformance suite checks. Here: what belongs to the learnable initial state.
TEST(MinGru, OnlySequencesThatBeginAtTheInitialStateTrainIt) {
  Random random(3);
  MinGru<double> layer(2, 3, random.stream(0), {.learn_initial_state = true});
  Sequence<double> x(2, 5, 2), dy(3, 5, 2);
  for (Sequence<double>* s : {&x, &dy})
    for (Index i = 0; i < s->size(); ++i) s->data()[i] = random.normal();
  const auto gradient = [&](auto state) {  // of h_0, and what reaches the state
    Matrix<double> result;
    MinGru<double>::Cache cache;
    layer.forward(x.view(), state, cache, context());
    zero_gradients(layer);
    auto dstate = zero_state(layer, 2);
    layer.backward(dy.view(), dstate, cache, context());
    visit_parameters(layer, [&](const Name& name, const Parameter<double>& p) {
      if (name.str() == "h_0") result = p.grad;
    });
    return std::pair(result, dstate.h);
  };

  const auto fresh = layer.initial_state(2);
  auto second_carried = fresh, restored = layer.initial_state(2);
  second_carried.h.col(1).array() += 1;
  restored.h = Matrix<double>::Ones(3, 2);

  const auto [both, dstate] = gradient(fresh);
  const auto [first, dstate_first] = gradient(second_carried);
  ASSERT_TRUE((dstate.array() != 0).all());
  EXPECT_TRUE((first.array() != 0).all());
  const Matrix<double> slopes = first.array() / dstate_first.col(0).array();
  EXPECT_TRUE(close<double>(Matrix<double>(slopes.array() * dstate.rowwise().sum().array()), both, 1e-14));
  EXPECT_TRUE(gradient(restored).first.isZero(0));
}

// The loop of the README, in which no gradient reaches the final state: that the initial state is learned changes
// nothing.
TEST(MinGru, ALearntInitialStateTrainsInTheUsualLoop) {
  Random random(1);
  Sequential net{MinGru<double>(2, 4, random.stream(0), {.learn_initial_state = true}),
                 Linear<double>(4, 1, random.stream(1))};
  Sequence<double> x(2, 6, 3), target(1, 6, 3), dy;
  for (Sequence<double>* s : {&x, &target})
    for (Index i = 0; i < s->size(); ++i) s->data()[i] = random.normal();
  decltype(net)::Cache cache;
  const auto loss = [&] {
    auto state = net.initial_state(3);
    return mean_square(net.forward(x.view(), state, cache, context()), target.view(), dy).loss;
  };
  loss();
  zero_gradients(net);
  net.backward(dy.view(), cache, context());
  Index compared = 0;
  visit_parameters(net, [&](const Name& name, Parameter<double>& p) {
    const Matrix<double> gradient = p.grad;
    for (Index i = 0; i < p.size(); ++i, ++compared) {
      double& weight = p.value.data()[i];
      const double kept = weight, step = 1e-5;
      weight = kept + step;
      const double above = loss();
      weight = kept - step;
      const double below = loss();
      weight = kept;
      EXPECT_NEAR(gradient.data()[i], (above - below) / (2 * step), 1e-8) << name.str() << " " << i;
    }
  });
  EXPECT_EQ(compared, 2 * (2 * 4 + 4) + 4 + 5);
}

}  // namespace
}  // namespace minrnn::tests
