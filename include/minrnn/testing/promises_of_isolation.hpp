// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/layer.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "minrnn/testing/layer_trial.hpp"

/// Promises about what a layer does not see.
namespace minrnn::detail::promises {

inline constexpr std::pair<Way, const char*> kWays[] = {
    {Way::forward, "forward"}, {Way::infer, "infer"}, {Way::step, "step"}};

/// From a start on outputs and states are those that the initial state gives, whatever came before: here behind frame
/// `start` of sequence 0 and in all of sequence 1.
template <class L>
void starts(LayerTrial<L>& trial) {
  const auto example = trial.with_starts();
  for (const auto& [way, name] : kWays) {
    const auto all = run_layer(trial.layer, example, way);
    for (const Index b : {Index{0}, Index{1}}) {
      const Index begin = b == 0 ? trial.start : 0;
      const auto behind = [&](const auto& results) {
        return select(results, {"y", "state "}, trial.batch, b, begin, trial.time);
      };
      if (way != Way::forward || !trial.options.random_forward) {
        const auto alone = run_layer(trial.layer, example.part(trial.layer, b, begin, trial.time), way);
        trial.findings.compare(std::string(name) + " from a start", behind(all), alone, trial.rounding());
      }
      for (auto other : trial.others) {
        auto changed = example;
        changed.x.middleCols(b * trial.time, begin) = other.x.middleCols(b * trial.time, begin);
        copy_sequence<L>(other.first, trial.batch, b, changed.first, trial.batch, b);
        trial.findings.compare(std::string(name) + " after another past", behind(run_layer(trial.layer, changed, way)),
                               behind(all), 0);
      }
    }
  }
}

/// What backward gives for a packed batch, found by training on each of its segments alone.
template <class L>
LayerResults<typename L::Scalar> train_segments(LayerTrial<L>& trial, const LayerExample<L>& example,
                                                LayerResults<typename L::Scalar> results) {
  for (auto& [name, m] : results) m.setZero();
  for (Index b = 0; b < trial.batch; ++b)
    for (Index begin = 0, end; begin < trial.time; begin = end) {
      for (end = begin + 1; end < trial.time && !example.input().starts(end, b);) ++end;
      for (const auto& [name, part] : train_layer(trial.layer, example.part(trial.layer, b, begin, end))) {
        auto& whole = results.at(name);
        if (name.starts_with("gradient "))
          whole += part;
        else if (name == "y" || name == "dx")
          whole.middleCols(b * trial.time + begin, end - begin) = part;
        else if (name.starts_with("dstate ") ? begin == 0 && !example.input().starts(0, b) : end == trial.time)
          std::copy_n(part.data(), part.size(), whole.data() + b * part.size());
      }
    }
  return results;
}

/// Training on a packed batch is training on its segments alone, and no gradient passes a start.
template <class L>
void segments(LayerTrial<L>& trial) {
  const auto example = trial.with_starts();
  const auto packed = train_layer(trial.layer, example);
  if (!trial.options.random_forward)
    trial.findings.compare("a packed batch", packed, train_segments(trial, example, packed), trial.rounding());
  const auto before = [&](const auto& results) {
    return select(results, {"dx", "dstate "}, trial.batch, 0, 0, trial.start);
  };
  for (auto other : trial.others) {
    auto changed = example;
    changed.dy.middleCols(trial.start, trial.time - trial.start) =
        other.dy.middleCols(trial.start, trial.time - trial.start);
    copy_sequence<L>(other.dlast, trial.batch, 0, changed.dlast, trial.batch, 0);
    trial.findings.compare("backward after another gradient", before(train_layer(trial.layer, changed)), before(packed),
                           0);
  }
}

/// Frames ahead change no output, and the gradient of an output changes no dx behind it.
template <class L>
void causality(LayerTrial<L>& trial) {
  const auto trained = train_layer(trial.layer, trial.example);
  const auto compare = [&](const std::string& what, const auto& found, const auto& wanted, Index begin, Index end) {
    for (Index b = 0; b < trial.batch; ++b)
      trial.findings.compare(what, select(found, {what == "backward" ? "dx" : "y"}, trial.batch, b, begin, end),
                             select(wanted, {what == "backward" ? "dx" : "y"}, trial.batch, b, begin, end), 0);
  };
  for (const Index t : {Index{1}, trial.start, trial.time - 1})
    for (const auto& other : trial.others) {
      auto ahead = trial.example, before = trial.example;
      for (Index first = 0; first < trial.time * trial.batch; first += trial.time) {
        ahead.x.middleCols(first + t, trial.time - t) = other.x.middleCols(first + t, trial.time - t);
        before.dy.middleCols(first, t) = other.dy.middleCols(first, t);
      }
      for (const auto& [way, name] : kWays)
        compare(name, run_layer(trial.layer, ahead, way), run_layer(trial.layer, trial.example, way), 0, t);
      compare("backward", train_layer(trial.layer, before), trained, t, trial.time);
    }
}

/// No sequence of a batch sees another one, and each is what it is alone.
template <class L>
void independence(LayerTrial<L>& trial) {
  const Index time = trial.time, batch = trial.batch;
  auto example = trial.example;
  const auto trained = train_layer(trial.layer, example);
  const auto inferred = run_layer(trial.layer, example, Way::infer);
  for (Index b = 0; b < batch; ++b) {
    const auto sequence = [&](const auto& results, Index of) {
      return select(results, {"y", "dx", "state ", "dstate "}, of, of == 1 ? 0 : b, 0, time);
    };
    const auto one = example.part(trial.layer, b, 0, time);
    trial.findings.compare("infer alone", run_layer(trial.layer, one, Way::infer), sequence(inferred, batch),
                           trial.rounding());
    if (!trial.options.random_forward)
      trial.findings.compare("alone", sequence(train_layer(trial.layer, one), 1), sequence(trained, batch),
                             trial.rounding());
    for (auto beside : trial.others) {
      beside.x.middleCols(b * time, time) = example.x.middleCols(b * time, time);
      beside.dy.middleCols(b * time, time) = example.dy.middleCols(b * time, time);
      copy_sequence<L>(example.first, batch, b, beside.first, batch, b);
      copy_sequence<L>(example.dlast, batch, b, beside.dlast, batch, b);
      trial.findings.compare("beside other sequences", sequence(train_layer(trial.layer, beside), batch),
                             sequence(trained, batch), 0);
      trial.findings.compare("infer beside other sequences",
                             sequence(run_layer(trial.layer, beside, Way::infer), batch), sequence(inferred, batch), 0);
    }
  }
}

}  // namespace minrnn::detail::promises
