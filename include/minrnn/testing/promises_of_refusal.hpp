// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <future>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "minrnn/testing/layer_trial.hpp"

/// Promises about calls that are wrong.
namespace minrnn::detail::promises {

/// backward refuses a cache that forward was not the last to use, and adds nothing; forward makes it good again.
template <class S>
void refusal(LayerTrial<S>& trial) {
  AnyLayer<S> copy = trial.layer;
  zero_gradients(copy);
  const auto expect = [&](const char* what, const LayerExample<S>& example, AnyCache& cache) {
    trial.expect_refusal(what, [&] { copy.backward(example.output_gradient(), cache); });
    LayerResults<S> found, none;
    add_gradients(found, copy);
    zero_gradients(copy);
    add_gradients(none, copy);
    trial.findings.compare(what, found, none);
  };
  const auto frame = trial.make(1, trial.batch);
  AnyCache cache, other;
  run_layer(copy, trial.example, Way::infer, trial.time, cache);
  expect("backward after infer alone", trial.example, cache);
  run_layer(copy, trial.example, Way::forward, trial.time, cache);
  run_layer(copy, trial.example, Way::infer, trial.time, cache);
  expect("backward after infer", trial.example, cache);
  if (copy.is_causal()) {
    run_layer(copy, frame, Way::forward, 1, other);
    run_layer(copy, frame, Way::step, 1, other);
    expect("backward after step", frame, other);
  }
  // A layer that has not refused so far would read memory that is not there.
  if (trial.findings.has_any()) return;
  trial.findings.compare("forward after a refusal", train_layer(copy, trial.example, std::span(&cache, 1)),
                         train_layer(trial.layer, trial.example));
  zero_gradients(copy);
  AnyCache moved = std::move(cache), fresh;
  expect("backward with a cache that was moved from", trial.example, cache);
  expect("backward with a new cache", trial.example, fresh);
}

/// Calls body(name, state) with `state`, one matrix of which is that of a larger batch, for each matrix; body may not
/// change it.
template <class S, class Body>
void for_wrong_states(LayerTrial<S>& trial, const AnyState<S>& state, Body&& body) {
  const AnyState<S> larger = trial.layer.initial_state(trial.batch + 1);
  const auto matrices = matrices_of(larger);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    AnyState<S> wrong = state;
    *matrices_of(wrong)[i] = *matrices[i];
    LayerResults<S> before, after;
    add_state(before, "state", wrong);
    body(" of another batch in matrix " + std::to_string(i), wrong);
    add_state(after, "state", wrong);
    trial.findings.compare("a refused state", after, before);
  }
}

template <class S>
void refuse_wrong_arguments(LayerTrial<S>& trial, const AnyLayer<S>& layer, AnyState<S>& state) {
  AnyCache cache;
  const SequenceView<const S> x = trial.example.input();
  const SequenceView<const S> narrow(x.data(), x.features() - 1, x.time(), x.batch(), x.batch_stride());
  trial.expect_refusal("forward of too few features", [&] { layer.forward(narrow, state, cache, kFirstDraw); });
  trial.expect_refusal("infer of too few features", [&] { layer.infer(narrow, state, cache); });
  const bool is_causal = layer.is_causal();
  if (is_causal) trial.expect_refusal("step of too few features", [&] { layer.step(narrow.frame(0), state, cache); });
  for_wrong_states(trial, state, [&](const std::string& which, AnyState<S>& wrong) {
    trial.expect_refusal("forward from a state" + which, [&] { layer.forward(x, wrong, cache, kFirstDraw); });
    trial.expect_refusal("infer from a state" + which, [&] { layer.infer(x, wrong, cache); });
    if (is_causal) trial.expect_refusal("step from a state" + which, [&] { layer.step(x.frame(0), wrong, cache); });
  });
}

template <class S>
void refuse_wrong_gradients(LayerTrial<S>& trial, AnyLayer<S>& layer, AnyState<S>& dstate) {
  AnyCache cache;
  run_layer(layer, trial.example, Way::forward, trial.time, cache);
  const SequenceView<const S> dy = trial.example.output_gradient();
  const auto refuse = [&](const std::string& what, Index features, Index time, Index batch, AnyState<S>& gradient) {
    const SequenceView<const S> wrong(dy.data(), features, time, batch, dy.batch_stride());
    trial.expect_refusal("backward " + what, [&] { layer.backward(wrong, gradient, cache); });
  };
  refuse("of too few features", dy.features() - 1, dy.time(), dy.batch(), dstate);
  refuse("of too few frames", dy.features(), dy.time() - 1, dy.batch(), dstate);
  refuse("of too few sequences", dy.features(), dy.time(), dy.batch() - 1, dstate);
  for_wrong_states(trial, dstate, [&](const std::string& which, AnyState<S>& wrong) {
    refuse("from a dstate" + which, dy.features(), dy.time(), dy.batch(), wrong);
  });
}

/// Wrong shapes throw std::invalid_argument and change nothing. A view that is too small lies in memory that is large
/// enough, so that a layer that does not look reads nothing else.
template <class S>
void wrong_shapes(LayerTrial<S>& trial) {
  AnyLayer<S> copy = trial.layer;
  zero_gradients(copy);
  auto state = trial.example.first, dstate = trial.example.dlast;
  refuse_wrong_arguments(trial, copy, state);
  refuse_wrong_gradients(trial, copy, dstate);
  const auto all = [&] {
    LayerResults<S> results;
    add_state(results, "state", state);
    add_state(results, "dstate", dstate);
    add_gradients(results, copy);
    return results;
  };
  const auto found = all();
  state = trial.example.first, dstate = trial.example.dlast;
  zero_gradients(copy);
  trial.findings.compare("after a refused call", found, all());
}

}  // namespace minrnn::detail::promises
