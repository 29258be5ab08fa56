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

/// Promises about layers and caches as values.
namespace minrnn::detail::promises {

template <class S>
std::vector<Matrix<S>> parameter_values(const AnyLayer<S>& layer) {
  std::vector<Matrix<S>> values;
  visit_parameters(layer, [&](const Name&, const Parameter<S>& p) { values.push_back(p.value); });
  return values;
}

template <class S>
void set_parameter_values(AnyLayer<S>& layer, const std::vector<Matrix<S>>& values) {
  std::size_t next = 0;
  visit_parameters(layer, [&](const Name&, Parameter<S>& p) { p.value = values[next++]; });
}

/// A step of gradient descent, of at most 0.01 in each element however steep it is.
template <class S>
void descend_a_little(AnyLayer<S>& layer) {
  visit_parameters(layer, [](const Name&, Parameter<S>& p) {
    if (p.size() > 0) p.value -= S(0.01) / (1 + p.grad.cwiseAbs().maxCoeff()) * p.grad;
  });
}

/// A copy gives the same and shares nothing; what was moved to gives the same, and what was moved from takes a value
/// again. A cache may move between forward and backward.
template <class S>
void copies(LayerTrial<S>& trial) {
  const auto wanted = train_layer(trial.layer, trial.example);
  const auto values = parameter_values(trial.layer);
  AnyLayer<S> copy = trial.layer;
  trial.findings.compare("a copy", train_layer(copy, trial.example), wanted);
  visit_parameters(copy, [](const Name&, Parameter<S>& p) {
    p.value.array() += 1;
    p.grad.setConstant(5);
  });
  const auto after = train_layer(trial.layer, trial.example);
  set_parameter_values(copy, values);  // of the original too, if they are shared
  trial.findings.compare("after a copy was changed", after, wanted);
  copy = trial.layer;
  trial.findings.compare("assigned", train_layer(copy, trial.example), wanted);
  AnyLayer<S> moved = std::move(copy);
  trial.findings.compare("moved", train_layer(moved, trial.example), wanted);
  copy = trial.layer;
  trial.findings.compare("assigned to what was moved from", train_layer(copy, trial.example), wanted);
  moved = std::move(copy);
  trial.findings.compare("moved again", train_layer(moved, trial.example), wanted);

  AnyCache cache;
  auto state = trial.example.first, dstate = trial.example.dlast;
  auto found = wanted;
  zero_gradients(moved);
  moved.forward(trial.example.input(), state, cache, kFirstDraw);
  AnyCache moved_cache = std::move(cache);
  put(moved.backward(trial.example.output_gradient(), dstate, moved_cache), 0, trial.time, found.at("dx"));
  add_state(found, "dstate", dstate);
  add_gradients(found, moved);
  trial.findings.compare("backward with a cache that has moved", found, wanted);
  cache = std::move(moved_cache);
  trial.findings.compare("infer with a cache that has moved",
                         run_layer(trial.layer, trial.example, Way::infer, trial.time, cache),
                         run_layer(trial.layer, trial.example, Way::infer));
}

/// Any executor gives the same bits, with many sequences and with one that is long enough to be divided.
template <class S>
void executors(LayerTrial<S>& trial) {
  for (const auto& [frames, sequences] : {std::pair<Index, Index>{70, 64}, {2100, 1}}) {
    const auto example = trial.make(frames, sequences).with_starts({{frames / 2, 0}, {frames - 1, sequences - 1}});
    const auto trained = train_layer(trial.layer, example), inferred = run_layer(trial.layer, example, Way::infer);
    for (const Index workers : {1, 2, 3, 4}) {
      const auto executor = trial.make_executor(workers);
      const Context context{.draw = 0, .executor = executor.get()};
      const std::string what = std::to_string(workers) + " workers";
      trial.findings.compare(what, train_layer(trial.layer, example, context), trained);
      trial.findings.compare("infer by " + what, run_layer(trial.layer, example, Way::infer, context), inferred);
    }
  }
}

/// Streams of a causal layer, each with a state and a cache of its own, frame by frame and turn by turn.
template <class S>
void stream_in_turn(LayerTrial<S>& trial, std::span<const LayerExample<S>* const> examples) {
  struct Stream {
    const LayerExample<S>& example;
    LayerResults<S> wanted, found;
    AnyState<S> state;
    AnyCache cache;
  };
  std::vector<Stream> all;
  for (const auto* example : examples) {
    const auto wanted = run_layer(trial.layer, *example, Way::step);
    all.push_back({*example, wanted, wanted, example->first, {}});
  }
  for (Index t = 0; t < trial.time; ++t)
    for (Stream& stream : all) {
      const auto y = trial.layer.step(stream.example.input().frame(t), stream.state, stream.cache);
      put(y.sequence(), t, trial.time, stream.found.at("y"));
    }
  for (Stream& stream : all) {
    add_state(stream.found, "state", stream.state);
    trial.findings.compare("step in turn", stream.found, stream.wanted);
  }
}

/// Streams of one layer, each with a state and a cache of its own, do not touch: turn by turn, or each on a thread.
template <class S>
void streams(LayerTrial<S>& trial) {
  const LayerExample<S>* const examples[] = {&trial.example, &trial.others[0], &trial.example};
  const bool is_causal = trial.layer.is_causal();
  if (is_causal) stream_in_turn<S>(trial, examples);
  const auto run = [&](const LayerExample<S>& example) {
    std::vector<std::pair<const char*, LayerResults<S>>> results;
    if (is_causal) results.emplace_back("step on threads", run_layer(trial.layer, example, Way::step));
    results.emplace_back("infer on threads", run_layer(trial.layer, example, Way::infer));
    return results;
  };
  std::vector<std::future<decltype(run(trial.example))>> on_threads;
  for (const auto* example : examples)
    on_threads.push_back(std::async(kHasThreads ? std::launch::async : std::launch::deferred,
                                    [&run, example] { return run(*example); }));
  for (std::size_t i = 0; i < on_threads.size(); ++i) {
    const auto found = on_threads[i].get(), wanted = run(*examples[i]);
    for (std::size_t way = 0; way < wanted.size(); ++way)
      trial.findings.compare(wanted[way].first, found[way].second, wanted[way].second);
  }
}

/// A cache that has seen calls of other shapes gives what a new one gives.
template <class S>
void cache_reuse(LayerTrial<S>& trial) {
  AnyCache cache;
  const Index time = trial.time, batch = trial.batch;
  for (const auto& [frames, sequences] :
       {std::pair{time, batch}, {Index{1}, batch}, {2 * time, batch + 2}, {time, Index{1}}, {time, batch}}) {
    const auto example = trial.make(frames, sequences);
    const auto compare = [&, &frames = frames](const char* what, const auto& found, const auto& wanted) {
      trial.findings.compare(what + (" of " + std::to_string(frames) + " frames"), found, wanted);
    };
    if (!trial.options.random_forward) {
      AnyLayer<S> copy = trial.layer;
      const auto found = train_layer(copy, example, std::span(&cache, 1));
      compare("training", found, train_layer(trial.layer, example));
    }
    for (const Way way : {Way::infer, Way::step}) {
      if (way == Way::step && !trial.layer.is_causal()) continue;
      const auto found = run_layer(trial.layer, example, way, way == Way::step ? 1 : frames, cache);
      compare(way == Way::step ? "step" : "infer", found, run_layer(trial.layer, example, way));
    }
  }
}

/// Three steps of gradient descent are the same with a new cache for each and with one for all.
template <class S>
void fresh_caches(LayerTrial<S>& trial) {
  if (trial.options.random_forward) return;
  AnyLayer<S> layer = trial.layer;
  const auto values = parameter_values(layer);
  const auto descend = [&](bool is_fresh) {
    set_parameter_values(layer, values);
    std::vector<LayerResults<S>> steps;
    AnyCache one_for_all;
    for (int step = 0; step < 3; ++step) {
      AnyCache fresh;
      steps.push_back(train_layer(layer, trial.example, std::span(is_fresh ? &fresh : &one_for_all, 1)));
      steps.back().merge(run_layer(layer, trial.example, Way::infer, trial.time, is_fresh ? fresh : one_for_all));
      descend_a_little(layer);
    }
    return steps;
  };
  const auto kept = descend(false), fresh = descend(true);
  for (std::size_t step = 0; step < kept.size(); ++step)
    trial.findings.compare("step " + std::to_string(step) + " with one cache for all", kept[step], fresh[step]);
}

}  // namespace minrnn::detail::promises
