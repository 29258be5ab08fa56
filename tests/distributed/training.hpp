// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "minrnn/compose/recompute.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/distributed/data_parallel.hpp"
#include "minrnn/distributed/sharded_optimizer.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"

namespace minrnn::tests {

/// A net of all compositions, whose weights have sizes that no power of two divides.
inline auto make_net() {
  const Random random(1);
  const auto block = [&](Index i) {
    const RandomStream stream = random.stream(1).stream(i);
    return Residual(Sequential(RmsNorm<float>(7), MinGru<float>(7, 11, stream.stream(0), {.learn_initial_state = true}),
                               Linear<float>(11, 7, stream.stream(1)), Dropout<float>(7, 0.1, stream.stream(2))));
  };
  return Sequential(
      Linear<float>(3, 7, random.stream(0)), Stack(3, block),
      Recompute(Sequential(MinGru<float>(7, 5, random.stream(2)), Dropout<float>(5, 0.1, random.stream(4))), 4),
      Linear<float>(5, 2, random.stream(3)));
}
using Net = decltype(make_net());

/// The gradient of one shard of a batch, a function of the step and of the shard alone; the first and the last of its
/// sequences are of other lengths than the rest in that they start anew within.
inline double shard_gradient(Net& net, std::int64_t step, Index shard, Net::Cache& cache, const Context& context) {
  Random random(Random(99).stream(static_cast<Index>(step)).stream(shard));
  Sequence<float> x(3, 9, 2), target(2, 9, 2), dy;
  for (Sequence<float>* block : {&x, &target})
    for (Index i = 0; i < block->view().size(); ++i) block->view().data()[i] = static_cast<float>(random.normal());
  auto state = net.initial_state(2);
  const auto y = net.forward(x.view(), state, cache, context);
  const double loss = mean_square<float>(y, target.view(), dy, context).loss;
  net.backward(dy.view(), cache, context);
  return loss;
}

struct Result {
  std::vector<float> values;   // all parameters
  std::vector<double> losses;  // of each step
  bool operator==(const Result&) const = default;
};

inline std::vector<float> values_of(const Net& net) {
  std::vector<float> values;
  visit_parameters(
      net, [&](const Name&, const auto& p) { values.insert(values.end(), p.value.data(), p.value.data() + p.size()); });
  return values;
}

/// Some steps of a training, in which the weights of other ranks than the first are others until they get the right
/// ones. `sharded`: the state of the optimizer is divided.
inline Result run_training(Communicator& ranks, const DataParallelOptions& options, bool sharded = false,
                           Executor* executor = nullptr, std::int64_t steps = 4) {
  Net net = make_net();
  visit_parameters(net, [&](const Name&, auto& p) { p.value.array() += static_cast<float>(ranks.rank()); });
  DataParallel parallel(net, ranks, options);
  Adam whole(net, {.learning_rate = 0.01f, .weight_decay = 0.1f});
  ShardedOptimizer parts(net, ranks,
                         [](const auto& own) { return Adam(own, {.learning_rate = 0.01f, .weight_decay = 0.1f}); });
  Net::Cache cache;
  Result result;
  for (std::int64_t step = 0; step < steps; ++step) {
    result.losses.push_back(parallel.gradients(
        net, [&](Index shard, const Context& context) { return shard_gradient(net, step, shard, cache, context); },
        {.draw = step, .executor = executor}));
    clip_gradient_norm(net, 0.5);
    if (sharded)
      parts.step(net);
    else
      whole.step(net);
  }
  result.values = values_of(net);
  return result;
}

}  // namespace minrnn::tests
