// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "minrnn/core/check.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/layer_derivatives.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "minrnn/testing/layer_trial.hpp"

/// Promises about what a layer computes.
namespace minrnn::detail::promises {

/// backward gives the derivatives by x, by all parameters and by the state before the first frame, be that the initial
/// state, which may depend on a parameter, or a carried one, with starts. Without dstate it does so for
/// dL/d(final state) = 0.
template <class S>
void gradients(LayerTrial<S>& trial) {
  const double factor = trial.options.tolerance_factor;
  trial.findings.add(LayerDerivatives<S>(trial.layer, trial.example, false).worst(factor));
  trial.findings.add(LayerDerivatives<S>(trial.layer, trial.packed(), true).worst(factor));
  auto of_outputs = trial.example;
  of_outputs.dlast = zero_state(trial.layer, trial.batch);
  const auto wanted = train_layer(trial.layer, of_outputs);
  AnyLayer<S> copy = trial.layer;
  zero_gradients(copy);
  AnyCache cache;
  run_layer(copy, of_outputs, Way::forward, trial.time, cache);
  auto found = wanted;
  put(copy.backward(of_outputs.output_gradient(), cache), 0, trial.time, found.at("dx"));
  add_gradients(found, copy);
  trial.findings.compare("backward without dstate", found, wanted);
}

/// A second backward gives the same again and adds the same again.
template <class S>
void accumulation(LayerTrial<S>& trial) {
  AnyLayer<S> copy = trial.layer;
  AnyCache cache;
  auto wanted = train_layer(copy, trial.example, std::span(&cache, 1)), found = wanted;
  auto dstate = trial.example.dlast;
  put(copy.backward(trial.example.output_gradient(), dstate, cache), 0, trial.time, found.at("dx"));
  add_state(found, "dstate", dstate);
  trial.findings.compare("a second backward", found, wanted);
  add_gradients(found, copy);
  for (auto& [name, m] : wanted)
    if (name.starts_with("gradient ")) m *= 2;
  trial.findings.compare("twice the gradients", found, wanted, trial.rounding());
}

/// forward, infer, both in chunks with the state carried, and step frame by frame give the same, with starts and
/// without. Chunks and steps are for causal layers.
template <class S>
void four_ways(LayerTrial<S>& trial) {
  for (const auto& example : {trial.from_initial(), trial.packed()}) {
    const auto wanted = run_layer(trial.layer, example, Way::infer);
    const auto compare = [&](const std::string& what, Way way, Index chunk) {
      AnyCache cache;
      trial.findings.compare(what, run_layer(trial.layer, example, way, chunk, cache), wanted, trial.rounding());
    };
    const bool is_causal = trial.layer.is_causal();
    if (is_causal) compare("infer in chunks", Way::infer, 3);
    if (is_causal) compare("step", Way::step, 1);
    if (trial.options.random_forward) continue;
    compare("forward", Way::forward, trial.time);
    if (is_causal) compare("forward in chunks", Way::forward, 3);
  }
}

/// Training in chunks, with the state carried forth and its gradient back, is training in one call. A chunk may be
/// empty.
template <class S>
void chunks(LayerTrial<S>& trial) {
  if (trial.options.random_forward || !trial.layer.is_causal()) return;
  for (const auto& example : {trial.from_initial(), trial.packed()}) {
    const auto wanted = train_layer(trial.layer, example);
    for (const Index count : {Index{2}, Index{3}, trial.time, trial.time + 2})
      trial.findings.compare(std::to_string(count) + " chunks", train_in_chunks(trial.layer, example, count), wanted,
                             trial.rounding());
  }
}

/// A block without frames or without sequences has a result of its shape and changes nothing.
template <class S>
void empty_blocks(LayerTrial<S>& trial) {
  const AnyLayer<S>& layer = trial.layer;
  const LayerExample<S> without_sequences{trial.time,
                                          0,
                                          Matrix<S>(layer.input_size(), 0),
                                          Matrix<S>(layer.output_size(), 0),
                                          layer.initial_state(0),
                                          layer.initial_state(0),
                                          {}};
  for (const auto& example : {trial.make(0, trial.batch), without_sequences}) {
    const std::string block = example.batch == 0 ? " of no sequences" : " of no frames";
    const auto check_shape = [&](const char* what, SequenceView<const S> result, Index features) {
      if (result.features() != features || result.time() != example.time || result.batch() != example.batch)
        trial.findings.add(what + block + " has the shape " +
                           shape_text(result.features(), result.time(), result.batch()));
    };
    AnyLayer<S> copy = layer;
    zero_gradients(copy);
    AnyCache cache;
    auto state = example.first, dstate = example.dlast;
    check_shape("y of infer", copy.infer(example.input(), state, cache), copy.output_size());
    check_shape("y", copy.forward(example.input(), state, cache, kFirstDraw), copy.output_size());
    check_shape("dx", copy.backward(example.output_gradient(), dstate, cache), copy.input_size());
    LayerResults<S> found, wanted;
    add_state(found, "state", state);
    add_state(wanted, "state", example.first);
    add_state(found, "dstate", dstate);
    add_state(wanted, "dstate", example.dlast);
    add_gradients(found, copy);
    zero_gradients(copy);
    add_gradients(wanted, copy);
    trial.findings.compare("after a block" + block, found, wanted);
  }
}

}  // namespace minrnn::detail::promises
