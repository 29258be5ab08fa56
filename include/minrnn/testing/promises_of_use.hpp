// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/layer.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "minrnn/testing/layer_trial.hpp"

/// Promises about layers and caches as values, and about calls that are wrong.
namespace minrnn::detail::promises {

template <class L>
std::vector<Matrix<typename L::Scalar>> parameter_values(const L& layer) {
  std::vector<Matrix<typename L::Scalar>> values;
  visit_parameters(layer, [&](const Name&, const auto& p) { values.push_back(p.value); });
  return values;
}

template <class L>
void set_parameter_values(L& layer, const std::vector<Matrix<typename L::Scalar>>& values) {
  std::size_t next = 0;
  visit_parameters(layer, [&](const Name&, auto& p) { p.value = values[next++]; });
}

/// A step of gradient descent, of at most 0.01 in each element however steep it is.
template <class L>
void descend_a_little(L& layer) {
  visit_parameters(layer, [](const Name&, auto& p) {
    using S = typename L::Scalar;
    if (p.size() > 0) p.value -= S(0.01) / (1 + p.grad.cwiseAbs().maxCoeff()) * p.grad;
  });
}

/// A copy gives the same and shares nothing; what was moved to gives the same.
template <class L>
void copies(LayerTrial<L>& trial) {
  const auto wanted = train_layer(trial.layer, trial.example);
  const auto values = parameter_values(trial.layer);
  L copy = trial.layer;
  trial.findings.compare("a copy", train_layer(copy, trial.example), wanted, 0);
  visit_parameters(copy, [](const Name&, auto& p) {
    p.value.array() += 1;
    p.grad.setConstant(5);
  });
  const auto after = train_layer(trial.layer, trial.example);
  set_parameter_values(copy, values);  // of the original too, if they are shared
  trial.findings.compare("after a copy was changed", after, wanted, 0);
  copy = trial.layer;
  trial.findings.compare("assigned", train_layer(copy, trial.example), wanted, 0);
  const L moved = std::move(copy);
  trial.findings.compare("moved", train_layer(moved, trial.example), wanted, 0);
}

/// Any executor gives the same bits, with many sequences and with one that is long enough to be divided.
template <class L>
void executors(LayerTrial<L>& trial) {
  for (const auto& [frames, sequences] : {std::pair<Index, Index>{70, 64}, {2100, 1}}) {
    const auto example = trial.make(frames, sequences);
    const auto wanted = train_layer(trial.layer, example);
    for (const Index workers : {2, 3}) {
      ThreadPool pool(workers);
      const auto found = train_layer(trial.layer, example, {.draw = 0, .executor = &pool});
      trial.findings.compare(std::to_string(workers) + " workers", found, wanted, 0);
    }
  }
}

/// A cache that has seen calls of other shapes gives what a new one gives.
template <class L>
void cache_reuse(LayerTrial<L>& trial) {
  typename L::Cache cache;
  const Index time = trial.time, batch = trial.batch;
  for (const auto& [frames, sequences] :
       {std::pair{time, batch}, {Index{1}, batch}, {2 * time, batch + 2}, {time, Index{1}}, {time, batch}}) {
    const auto example = trial.make(frames, sequences);
    const auto compare = [&, &frames = frames](const char* what, const auto& found, const auto& wanted) {
      trial.findings.compare(what + (" of " + std::to_string(frames) + " frames"), found, wanted, 0);
    };
    if (!trial.options.random_forward) {
      L copy = trial.layer;
      const auto found = train_layer<L>(copy, example, std::span(&cache, 1));
      compare("training", found, train_layer(trial.layer, example));
    }
    for (const Way way : {Way::infer, Way::step}) {
      const auto found = run_layer(trial.layer, example, way, way == Way::step ? 1 : frames, cache);
      compare(way == Way::step ? "step" : "infer", found, run_layer(trial.layer, example, way));
    }
  }
}

/// Three steps of gradient descent are the same with a new cache for each and with one for all.
template <class L>
void fresh_caches(LayerTrial<L>& trial) {
  if (trial.options.random_forward) return;
  L layer = trial.layer;
  const auto values = parameter_values(layer);
  const auto descend = [&](bool is_fresh) {
    set_parameter_values(layer, values);
    std::vector<LayerResults<typename L::Scalar>> steps;
    typename L::Cache one_for_all;
    for (int step = 0; step < 3; ++step) {
      typename L::Cache fresh;
      steps.push_back(train_layer<L>(layer, trial.example, std::span(is_fresh ? &fresh : &one_for_all, 1)));
      steps.back().merge(run_layer(layer, trial.example, Way::infer, trial.time, is_fresh ? fresh : one_for_all));
      descend_a_little(layer);
    }
    return steps;
  };
  const auto kept = descend(false), fresh = descend(true);
  set_parameter_values(layer, values);
  for (std::size_t step = 0; step < kept.size(); ++step)
    trial.findings.compare("step " + std::to_string(step) + " with one cache for all", kept[step], fresh[step], 0);
}

/// backward refuses a cache that forward was not the last to use, and adds nothing.
template <class L>
void refusal(LayerTrial<L>& trial) {
  L copy = trial.layer;
  zero_gradients(copy);
  const auto expect = [&](const char* what, const LayerExample<L>& example, typename L::Cache& cache) {
    trial.expect_refusal(what, [&] { copy.backward(example.output_gradient(), cache); });
    LayerResults<typename L::Scalar> found, none;
    add_gradients(found, copy);
    zero_gradients(copy);
    add_gradients(none, copy);
    trial.findings.compare(what, found, none, 0);
  };
  const auto frame = trial.make(1, trial.batch);
  typename L::Cache cache, other;
  run_layer(copy, trial.example, Way::forward, trial.time, cache);
  run_layer(copy, trial.example, Way::infer, trial.time, cache);
  expect("backward after infer", trial.example, cache);
  run_layer(copy, frame, Way::forward, 1, other);
  run_layer(copy, frame, Way::step, 1, other);
  expect("backward after step", frame, other);
  // A layer that has not refused so far would read memory that is not there.
  if (trial.findings.has_any()) return;
  run_layer(copy, trial.example, Way::forward, trial.time, cache);
  typename L::Cache moved = std::move(cache), fresh;
  expect("backward with a cache that was moved from", trial.example, cache);
  expect("backward with a new cache", trial.example, fresh);
}

/// Calls body(name, state) with `state`, one matrix of which is that of a larger batch, for each matrix; body may not
/// change it.
template <class L, class Body>
void for_wrong_states(LayerTrial<L>& trial, const typename L::State& state, Body&& body) {
  auto larger = trial.layer.initial_state(trial.batch + 1);
  const std::size_t count = matrices_of<L>(larger).size();
  for (std::size_t i = 0; i < count; ++i) {
    auto wrong = state;
    *matrices_of<L>(wrong)[i] = *matrices_of<L>(larger)[i];
    LayerResults<typename L::Scalar> before, after;
    add_state<L>(before, "state", wrong);
    body(" of another batch in matrix " + std::to_string(i), wrong);
    add_state<L>(after, "state", wrong);
    trial.findings.compare("a refused state", after, before, 0);
  }
}

template <class L>
void refuse_wrong_arguments(LayerTrial<L>& trial, const L& layer, typename L::State& state) {
  typename L::Cache cache;
  const SequenceView<const typename L::Scalar> x = trial.example.input();
  const decltype(x) narrow(x.data(), x.features() - 1, x.time(), x.batch(), x.batch_stride());
  trial.expect_refusal("forward of too few features", [&] { layer.forward(narrow, state, cache, kFirstDraw); });
  trial.expect_refusal("infer of too few features", [&] { layer.infer(narrow, state, cache); });
  trial.expect_refusal("step of too few features", [&] { layer.step(narrow.frame(0), state, cache); });
  for_wrong_states(trial, state, [&](const std::string& which, typename L::State& wrong) {
    trial.expect_refusal("forward from a state" + which, [&] { layer.forward(x, wrong, cache, kFirstDraw); });
    trial.expect_refusal("infer from a state" + which, [&] { layer.infer(x, wrong, cache); });
    trial.expect_refusal("step from a state" + which, [&] { layer.step(x.frame(0), wrong, cache); });
  });
}

template <class L>
void refuse_wrong_gradients(LayerTrial<L>& trial, L& layer, typename L::State& dstate) {
  typename L::Cache cache;
  run_layer(layer, trial.example, Way::forward, trial.time, cache);
  const SequenceView<const typename L::Scalar> dy = trial.example.output_gradient();
  const auto refuse = [&](const std::string& what, Index features, Index time, Index batch, auto& gradient) {
    const decltype(dy) wrong(dy.data(), features, time, batch, dy.batch_stride());
    trial.expect_refusal("backward " + what, [&] { layer.backward(wrong, gradient, cache); });
  };
  refuse("of too few features", dy.features() - 1, dy.time(), dy.batch(), dstate);
  refuse("of too few frames", dy.features(), dy.time() - 1, dy.batch(), dstate);
  refuse("of too few sequences", dy.features(), dy.time(), dy.batch() - 1, dstate);
  for_wrong_states(trial, dstate, [&](const std::string& which, typename L::State& wrong) {
    refuse("from a dstate" + which, dy.features(), dy.time(), dy.batch(), wrong);
  });
}

/// Wrong shapes throw std::invalid_argument and change nothing. A view that is too small lies in memory that is large
/// enough, so that a layer that does not look reads nothing else.
template <class L>
void wrong_shapes(LayerTrial<L>& trial) {
  L copy = trial.layer;
  zero_gradients(copy);
  auto state = trial.example.first, dstate = trial.example.dlast;
  refuse_wrong_arguments(trial, copy, state);
  refuse_wrong_gradients(trial, copy, dstate);
  const auto all = [&] {
    LayerResults<typename L::Scalar> results;
    add_state<L>(results, "state", state);
    add_state<L>(results, "dstate", dstate);
    add_gradients(results, copy);
    return results;
  };
  const auto found = all();
  state = trial.example.first, dstate = trial.example.dlast;
  zero_gradients(copy);
  trial.findings.compare("after a refused call", found, all(), 0);
}

}  // namespace minrnn::detail::promises
