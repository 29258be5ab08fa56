// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include "minrnn/core/layer.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "minrnn/testing/layer_trial.hpp"

/// Promises about what a layer does not see.
namespace minrnn::detail::promises {

enum class End { first, last };

/// y and dx of frames [begin, end) of sequence b, and what else belongs to this end of it: behind the last frame the
/// final state, before the first one the gradient by the initial state; of what is reversed, the other way round.
template <class S>
LayerResults<S> select_end(const LayerResults<S>& results, const ReversedStates& reversed, End at, Index batch, Index b,
                           Index begin, Index end) {
  auto selected = select(results, {"y", "dx", "state ", "dstate "}, batch, b, begin, end);
  std::erase_if(selected, [&](const auto& result) {
    const auto& name = result.first;
    const auto blank = name.find(' ');
    if (blank == std::string::npos) return false;
    const bool is_before_first = name.starts_with("dstate ") != reversed.contains(name.substr(blank + 1));
    return is_before_first != (at == End::first);
  });
  return selected;
}

/// The gradients of L by what stands before frame `begin` of sequence b become those of another example. (What is
/// behind depends on none of them in a causal layer, with a start or without: see `causality`.)
template <class S>
void change_past_gradients(const LayerTrial<S>& trial, const LayerExample<S>& other, Index b, Index begin,
                           LayerExample<S>& changed) {
  changed.dy.middleCols(b * trial.time, begin) = other.dy.middleCols(b * trial.time, begin);
  copy_sequence(other.dlast, trial.batch, b, changed.dlast, trial.batch, b,
                [&](const std::string& name) { return begin > 0 && trial.reversed.contains(name); });
}

/// From a start on outputs and states are those that the initial state gives, and gradients too, whatever came before:
/// here behind frame `start` of sequence 0 and in all of sequence 1.
template <class S>
void starts(LayerTrial<S>& trial) {
  const auto example = trial.with_starts();
  const auto wanted = run_every_way(trial.layer, example);
  for (const Index b : {Index{0}, Index{1}}) {
    const Index begin = b == 0 ? trial.start : 0;
    const auto behind = [&](const LayerResults<S>& results) {
      return select_end(results, trial.reversed, End::last, trial.batch, b, begin, trial.time);
    };
    const auto alone = example.part(trial.layer, b, begin, trial.time);
    for (const auto& [way, name] : {std::pair{Way::forward, "forward"}, {Way::infer, "infer"}, {Way::step, "step"}})
      if (way == Way::forward ? !trial.options.random_forward : way == Way::infer || trial.layer.is_causal())
        trial.findings.compare(
            std::string(name) + " from a start", behind(run_layer(trial.layer, example, way)),
            select_end(run_layer(trial.layer, alone, way), trial.reversed, End::last, 1, 0, 0, trial.time - begin),
            trial.rounding());
    for (const auto& other : trial.others) {
      auto changed = example;
      changed.x.middleCols(b * trial.time, begin) = other.x.middleCols(b * trial.time, begin);
      copy_sequence(other.first, trial.batch, b, changed.first, trial.batch, b,
                    [&](const std::string& name) { return !trial.reversed.contains(name); });
      if (!trial.layer.is_causal()) change_past_gradients(trial, other, b, begin, changed);
      trial.compare_every_way("after another past", run_every_way(trial.layer, changed), wanted, behind);
    }
  }
}

/// What backward gives for a packed batch, found by training on each of its segments alone.
template <class S>
LayerResults<S> train_segments(LayerTrial<S>& trial, const LayerExample<S>& example, LayerResults<S> results) {
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
        else if (name.starts_with("dstate ") ? example.takes_state(name.substr(7), b, begin, end)
                                             : example.leaves_state(name.substr(6), begin, end))
          std::copy_n(part.data(), part.size(), whole.data() + b * part.size());
      }
    }
  return results;
}

/// Training on a packed batch is training on its segments alone, and neither values nor gradients pass a start on the
/// way back.
template <class S>
void segments(LayerTrial<S>& trial) {
  if (!trial.options.random_forward) {
    const auto packed = trial.packed();
    const auto found = train_layer(trial.layer, packed);
    trial.findings.compare("a packed batch", found, train_segments(trial, packed, found), trial.rounding());
  }
  const auto example = trial.with_starts();
  const auto wanted = run_every_way(trial.layer, example);
  const auto before = [&](const LayerResults<S>& results) {
    return select_end(results, trial.reversed, End::first, trial.batch, 0, 0, trial.start);
  };
  const Index behind = trial.time - trial.start;
  for (const auto& other : trial.others) {
    auto changed = example;
    changed.x.middleCols(trial.start, behind) = other.x.middleCols(trial.start, behind);
    changed.dy.middleCols(trial.start, behind) = other.dy.middleCols(trial.start, behind);
    copy_sequence(other.dlast, trial.batch, 0, changed.dlast, trial.batch, 0,
                  [&](const std::string& name) { return !trial.reversed.contains(name); });
    copy_sequence(other.first, trial.batch, 0, changed.first, trial.batch, 0,
                  [&](const std::string& name) { return trial.reversed.contains(name); });
    trial.compare_every_way("before another future", run_every_way(trial.layer, changed), wanted, before);
  }
}

/// Frames ahead change no output, and the gradient of an output changes no dx behind it: of a layer that has `step`.
template <class S>
void causality(LayerTrial<S>& trial) {
  if (!trial.layer.is_causal()) return;
  const auto wanted = run_every_way(trial.layer, trial.example);
  const auto compare = [&](const char* what, const LayerExample<S>& changed, const char* result, Index begin,
                           Index end) {
    const auto found = run_every_way(trial.layer, changed);
    for (Index b = 0; b < trial.batch; ++b)
      trial.compare_every_way(what, found, wanted, [&](const LayerResults<S>& results) {
        return select(results, {result}, trial.batch, b, begin, end);
      });
  };
  for (const Index t : {Index{1}, trial.start, trial.time - 1})
    for (const auto& other : trial.others) {
      auto ahead = trial.example, before = trial.example;
      for (Index first = 0; first < trial.time * trial.batch; first += trial.time) {
        ahead.x.middleCols(first + t, trial.time - t) = other.x.middleCols(first + t, trial.time - t);
        before.dy.middleCols(first, t) = other.dy.middleCols(first, t);
      }
      compare("before other frames", ahead, "y", 0, t);
      compare("behind other gradients", before, "dx", t, trial.time);
    }
}

/// No sequence of a batch sees another one, and each is what it is alone.
template <class S>
void independence(LayerTrial<S>& trial) {
  const Index time = trial.time, batch = trial.batch;
  const auto& example = trial.example;
  const auto wanted = run_every_way(trial.layer, example);
  for (Index b = 0; b < batch; ++b) {
    const auto sequence = [&](const LayerResults<S>& results) {
      return select(results, {"y", "dx", "state ", "dstate "}, batch, b, 0, time);
    };
    const auto alone = [&](const LayerResults<S>& results) {
      return select(results, {"y", "dx", "state ", "dstate "}, 1, 0, 0, time);
    };
    const auto one = example.part(trial.layer, b, 0, time);
    trial.findings.compare("infer alone", alone(run_layer(trial.layer, one, Way::infer)),
                           sequence(run_layer(trial.layer, example, Way::infer)), trial.rounding());
    if (!trial.options.random_forward)
      trial.findings.compare("training alone", alone(train_layer(trial.layer, one)),
                             sequence(train_layer(trial.layer, example)), trial.rounding());
    for (auto beside : trial.others) {
      beside.x.middleCols(b * time, time) = example.x.middleCols(b * time, time);
      beside.dy.middleCols(b * time, time) = example.dy.middleCols(b * time, time);
      copy_sequence(example.first, batch, b, beside.first, batch, b);
      copy_sequence(example.dlast, batch, b, beside.dlast, batch, b);
      trial.compare_every_way("beside other sequences", run_every_way(trial.layer, beside), wanted, sequence);
    }
  }
}

}  // namespace minrnn::detail::promises
