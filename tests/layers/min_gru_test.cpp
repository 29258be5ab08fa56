// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/min_gru.hpp"

#include <gtest/gtest.h>

#include "support/compare.hpp"

namespace minrnn::tests {
namespace {

// What every layer does, the conformance suite checks. Here: what belongs to the learnable initial state.
TEST(MinGru, OnlySequencesThatBeginAtTheInitialStateTrainIt) {
  Random random(3);
  MinGru<double> layer(2, 3, random, {.learn_initial_state = true});
  Sequence<double> x(2, 5, 2), dy(3, 5, 2);
  for (Sequence<double>* s : {&x, &dy})
    for (Index i = 0; i < s->size(); ++i) s->data()[i] = random.normal();
  const auto gradient = [&](auto state) {  // of h_0, and what reaches the state
    Matrix<double> result;
    MinGru<double>::Cache cache;
    layer.forward(x.view(), state, cache);
    zero_gradients(layer);
    auto dstate = layer.initial_state(2);
    dstate.h.setZero();
    layer.backward(dy.view(), dstate, cache);
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

}  // namespace
}  // namespace minrnn::tests
