// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"

/// A short training for programs that compare compilers and processors: its losses show a wrong gradient, and how far
/// roundings carry.
namespace minrnn::tests {

inline auto small_net(const Random& random) {
  return Sequential{MinGru<float>(2, 16, random.stream(0)), Linear<float>(16, 1, random.stream(1))};
}

/// The net learns to hold the value that came with the last mark. Gives the loss of each step.
template <class Net>
std::vector<double> train_to_hold(Net& net, Adam<float>& adam, Random& random) {
  typename Net::Cache cache;
  Sequence<float> x(2, 32, 8), target(1, 32, 8), dy;
  std::vector<double> losses;
  for (int i = 0; i < 150; ++i) {
    for (Index n = 0; n < 32 * 8; ++n) {
      const Index t = n % 32, b = n / 32;
      x.view().column(t, b)[0] = static_cast<float>(random.uniform());
      x.view().column(t, b)[1] = t % 8 == 0 ? 1.0f : 0.0f;
      *target.view().column(t, b) = x.view().column(t - t % 8, b)[0];
    }
    auto state = net.initial_state(8);
    losses.push_back(mean_square(net.forward(x.view(), state, cache), target.view(), dy).loss);
    zero_gradients(net);
    net.backward(dy.view(), cache);
    clip_gradient_norm(net, 0.1);
    adam.step(net);
  }
  return losses;
}

}  // namespace minrnn::tests
