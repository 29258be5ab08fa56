// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/distributed/sharded_optimizer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/message.hpp"
#include "thread_ranks.hpp"
#include "training.hpp"

namespace minrnn::tests {
namespace {

const auto make_adam = [](const auto& own) { return Adam(own, {.learning_rate = 0.01f}); };

/// Gradients that are a function of the step alone.
void set_gradients(Net& net, int step) {
  Random random(Random(11).stream(step));
  visit_parameters(net, [&](const Name&, auto& p) { fill_normal(p.grad, random, 1); });
}

std::vector<double> state_of(const Adam<float>& adam) {
  std::vector<double> state;
  detail::for_state(adam, Name{}, [&](const Name&, auto part) {
    for (const auto number : part) state.push_back(static_cast<double>(number));
  });
  return state;
}

TEST(ShardedOptimizer, KeepsAPartOfTheStateAndGathersAllOfIt) {
  Net net = make_net();
  Adam<float> adam = make_adam(net);
  for (int step = 0; step < 6; ++step) {
    set_gradients(net, step);
    EXPECT_TRUE(adam.step(net));
  }
  const auto wanted = values_of(net);
  const auto wanted_state = state_of(adam);
  for (const Index size : {1, 2, 4, 8}) {
    std::vector<std::size_t> kept(static_cast<std::size_t>(size));
    const auto errors = run_ranks(size, [&](Communicator& ranks) {
      Net own = make_net();
      ShardedOptimizer first(own, ranks, make_adam);
      for (int step = 0; step < 3; ++step) {
        set_gradients(own, step);
        EXPECT_TRUE(first.step(own));
      }
      Adam<float> whole = make_adam(own);
      first.gather(whole);
      ShardedOptimizer second(own, ranks, make_adam);  // as after a restart
      second.take(whole);
      for (int step = 3; step < 6; ++step) {
        set_gradients(own, step);
        EXPECT_TRUE(second.step(own));
      }
      EXPECT_EQ(values_of(own), wanted);
      EXPECT_EQ(second.steps(), 6);
      second.gather(whole);
      EXPECT_EQ(state_of(whole), wanted_state);
      kept[static_cast<std::size_t>(ranks.rank())] = state_of(second.optimizer()).size() - 1;
    });
    EXPECT_EQ(errors, std::vector<std::string>(static_cast<std::size_t>(size)));
    std::size_t sum = 0;
    for (const std::size_t part : kept) sum += part;
    EXPECT_EQ(sum, wanted_state.size() - 1) << "each moment once";
    if (size == 2) {
      EXPECT_LT(kept[0], 0.6 * static_cast<double>(sum));
      EXPECT_LT(kept[1], 0.6 * static_cast<double>(sum));
    }
  }
}

TEST(ShardedOptimizer, SaysOnAllRanksThatGradientsAreNotFinite) {
  const auto errors = run_ranks(4, [&](Communicator& ranks) {
    Net net = make_net();
    const auto before = values_of(net);
    ShardedOptimizer adam(net, ranks, make_adam);
    set_gradients(net, 0);
    visit_parameters(net, [](const Name&, auto& p) { p.grad.setConstant(std::numeric_limits<float>::quiet_NaN()); });
    EXPECT_FALSE(adam.step(net));
    EXPECT_EQ(values_of(net), before);
    EXPECT_EQ(adam.steps(), 0);
  });
  EXPECT_EQ(errors, std::vector<std::string>(4));
}

TEST(ShardedOptimizer, RefusesAnotherNet) {
  OneRank alone;
  Net net = make_net();
  ShardedOptimizer adam(net, alone, make_adam);
  Linear<float> other(2, 3, Random(1).stream(0));
  EXPECT_EQ(message_of<std::invalid_argument>([&] { adam.step(other); }),
            "ShardedOptimizer::step: net: wanted the one that this was made for, given another");
  Adam<float> of_other = make_adam(other);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { adam.gather(of_other); }),
            "ShardedOptimizer: whole: wanted an optimizer of the whole net that this was made for, given one whose "
            "first/w is missing or of another size");
  EXPECT_THROW(adam.take(of_other), std::invalid_argument);
}

static_assert(Optimizer<ShardedOptimizer<Adam<float>>, Net>);

}  // namespace
}  // namespace minrnn::tests
