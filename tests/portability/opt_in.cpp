// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// What minrnn.hpp does not include, checkpoints, trainings on several machines and check_layer, in float and double,
// for compilers that are asked for warnings, as instantiations.cpp.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/distributed/data_parallel.hpp"
#include "minrnn/distributed/sharded_optimizer.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/running_mean.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/testing/check_layer.hpp"

namespace minrnn {
namespace {

template <class S>
double train_on_one_rank() {
  const Random random(1);
  Sequential net{MinGru<S>(3, 4, random.stream(0)), Linear<S>(4, 2, random.stream(1))};
  OneRank rank;
  DataParallel parallel(net, rank, {.shards = 2});
  ShardedOptimizer adam(net, rank, [](const auto& own) { return Adam(own); });
  Sequence<S> x(3, 4, 1), target(2, 4, 1), dy;
  std::fill_n(x.data(), x.size(), S(0.5));
  std::fill_n(target.data(), target.size(), S(0.25));
  typename decltype(net)::Cache cache;
  const double loss = parallel.gradients(net, [&](Index, const Context& context) {
    auto state = net.initial_state(1);
    const MeanLoss of_shard = mean_square(net.forward(x, state, cache, context), target, dy);
    net.backward(dy, cache, context);
    return of_shard.loss;
  });
  check_alike(rank, {{"the loss", std::to_string(loss)}});
  return adam.step(net) ? loss : -1;
}

template <class S>
bool keeps_its_promises() {
  CheckLayerOptions options;
  options.promises = {"causality"};
  return check_layer(MinGru<S>(3, 4, Random(1).stream(0)), options).empty() && check_layer(RunningMean<S>(3)).empty();
}

template <class S>
bool comes_back_from_a_file(const std::filesystem::path& path) {
  const Random random(1);
  MinGru<S> layer(3, 4, random.stream(0)), other(3, 4, random.stream(1));
  Adam adam(layer), other_adam(other);
  std::int64_t step = 7, other_step = 0;
  save_checkpoint(path, Parts(Part{"layer", layer}, Part{"adam", adam}, Part{"step", step}), {{"note", "of a test"}});
  Parts parts{Part{"layer", other}, Part{"adam", other_adam}, Part{"step", other_step}};
  const auto metadata = load_checkpoint(path, parts);
  std::filesystem::remove(path);
  return other.weight(0) == layer.weight(0) && other_step == step && metadata.at("note") == "of a test";
}

template <class S>
bool all() {
  return train_on_one_rank<S>() > 0 && keeps_its_promises<S>() && comes_back_from_a_file<S>("opt_in.safetensors");
}

}  // namespace
}  // namespace minrnn

int main() { return minrnn::all<float>() && minrnn::all<double>() ? 0 : 1; }
