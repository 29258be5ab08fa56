// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compose/sequential.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"

namespace minrnn::tests {
namespace {

auto make_net(const Random& random) {
  return Sequential(named<"mixer">(MinGru<float>(3, 4, random.stream(0))), Linear<float>(4, 5, random.stream(1)),
                    named<"out">(Sequential(named<"lstm">(Lstm<float>(5, 2, random.stream(2))))));
}

TEST(Sequential, GivesALayerItsNameOrItsNumber) {
  const auto net = make_net(Random(1));
  std::vector<std::string> parameters, state_names;
  visit_parameters(net, [&](const Name& name, const auto&) { parameters.push_back(name.str()); });
  EXPECT_EQ(parameters, (std::vector<std::string>{"mixer/w_z", "mixer/b_z", "mixer/w_h", "mixer/b_h", "1/w", "1/b",
                                                  "out/lstm/weight_ih", "out/lstm/weight_hh", "out/lstm/bias_ih",
                                                  "out/lstm/bias_hh"}));
  const auto state = net.initial_state(2);
  decltype(net)::State::visit(state, Name{}, [&](const Name& name, const auto&) { state_names.push_back(name.str()); });
  EXPECT_EQ(state_names, (std::vector<std::string>{"mixer/h", "out/lstm/h", "out/lstm/c"}));
}

TEST(Sequential, HoldsNoNames) {
  const auto net = make_net(Random(1));
  const auto state = net.initial_state(1);
  EXPECT_EQ(sizeof(state), sizeof(state.parts));
  EXPECT_EQ(sizeof(net.layer<0>()), sizeof(MinGru<float>));
}

TEST(Sequential, TakesANamedLayerWhereverTheLayerItselfGoes) {
  const Random random(1);
  const Sequential<Named<"mixer", MinGru<float>>> net(MinGru<float>(3, 4, random.stream(0)));
  const MinGru<float>& layer = net.layer<0>();
  EXPECT_EQ(layer.weight(0), MinGru<float>(3, 4, random.stream(0)).weight(0));
}

}  // namespace
}  // namespace minrnn::tests
