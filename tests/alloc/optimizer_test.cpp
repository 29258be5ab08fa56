// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "alloc/counting.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "minrnn/optim/schedule.hpp"

namespace minrnn::tests {
namespace {

TEST(Optimizer, AllocatesNothingInAStep) {
  Random random(1);
  // Names longer than a string keeps within itself.
  auto net = Stack(3, [&](Index i) {
    const RandomStream own = random.stream(i);
    return Sequential(MinGru<float>(32, 32, own.stream(0)), MinGru<float>(32, 32, own.stream(1)));
  });
  Adam<float> adam(net, {.weight_decay = 0.1f});
  const CosineSchedule schedule;
  visit_parameters(net, [](const Name&, auto& p) { p.grad.setOnes(); });
  adam.step(net);
  const AllocationCount count;
  for (int step = 0; step < 3; ++step) {
    adam.options.learning_rate = static_cast<float>(schedule(step));
    clip_gradient_norm(net, 1);
    adam.step(net);
  }
  EXPECT_EQ(count.now(), 0);
}

}  // namespace
}  // namespace minrnn::tests
