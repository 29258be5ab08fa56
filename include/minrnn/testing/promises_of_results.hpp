// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "minrnn/core/layer.hpp"
#include "minrnn/testing/layer_derivatives.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "minrnn/testing/layer_trial.hpp"

/// Promises about what a layer computes.
namespace minrnn::detail::promises {

/// backward gives the derivatives by x, by all parameters and by the state before the first frame, be that the initial
/// state, which may depend on a parameter, or a carried one. Without dstate it does so for dL/d(final state) = 0.
template <class L>
void gradients(LayerTrial<L>& trial) {
  for (const bool is_carried : {false, true})
    trial.findings.add(
        LayerDerivatives<L>(trial.layer, trial.example, is_carried).worst(trial.options.tolerance_factor));
  auto of_outputs = trial.example;
  of_outputs.dlast = zero_state(trial.layer, trial.batch);
  const auto wanted = train_layer(trial.layer, of_outputs);
  L copy = trial.layer;
  zero_gradients(copy);
  typename L::Cache cache;
  run_layer(copy, of_outputs, Way::forward, trial.time, cache);
  auto found = wanted;
  put(copy.backward(of_outputs.output_gradient(), cache), 0, trial.time, found.at("dx"));
  add_gradients(found, copy);
  trial.findings.compare("backward without dstate", found, wanted, 0);
}

/// A second backward gives the same again and adds the same again.
template <class L>
void accumulation(LayerTrial<L>& trial) {
  L copy = trial.layer;
  typename L::Cache cache;
  auto wanted = train_layer<L>(copy, trial.example, std::span(&cache, 1)), found = wanted;
  auto dstate = trial.example.dlast;
  put(copy.backward(trial.example.output_gradient(), dstate, cache), 0, trial.time, found.at("dx"));
  add_state<L>(found, "dstate", dstate);
  trial.findings.compare("a second backward", found, wanted, 0);
  add_gradients(found, copy);
  for (auto& [name, m] : wanted)
    if (name.starts_with("gradient ")) m *= 2;
  trial.findings.compare("twice the gradients", found, wanted, trial.rounding());
}

/// forward, infer, both in chunks with the state carried, and step frame by frame give the same, with starts and
/// without.
template <class L>
void four_ways(LayerTrial<L>& trial) {
  for (const auto& example : {trial.from_initial(), trial.with_starts()}) {
    const auto wanted = run_layer(trial.layer, example, Way::infer);
    const auto check = [&](const std::string& what, Way way, Index chunk) {
      typename L::Cache cache;
      trial.findings.compare(what, run_layer(trial.layer, example, way, chunk, cache), wanted, trial.rounding());
    };
    check("infer in chunks", Way::infer, 3);
    check("step", Way::step, 1);
    if (trial.options.random_forward) continue;
    check("forward", Way::forward, trial.time);
    check("forward in chunks", Way::forward, 3);
  }
}

/// Training in chunks, with the state carried forth and its gradient back, is training in one call.
template <class L>
void chunks(LayerTrial<L>& trial) {
  if (trial.options.random_forward) return;
  for (const auto& example : {trial.from_initial(), trial.with_starts()}) {
    const auto wanted = train_layer(trial.layer, example);
    for (const Index count : {Index{2}, Index{3}, trial.time}) {
      std::vector<typename L::Cache> caches(static_cast<std::size_t>(count));
      L copy = trial.layer;
      const auto found = train_layer<L>(copy, example, std::span(caches));
      trial.findings.compare(std::to_string(count) + " chunks", found, wanted, trial.rounding());
    }
  }
}

}  // namespace minrnn::detail::promises
