// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/finding.hpp"
#include "minrnn/testing/layer_trial.hpp"
#include "minrnn/testing/promises_of_isolation.hpp"
#include "minrnn/testing/promises_of_refusal.hpp"
#include "minrnn/testing/promises_of_results.hpp"
#include "minrnn/testing/promises_of_use.hpp"

namespace minrnn {

namespace detail::promises {

template <class S>
using Promise = std::pair<const char*, void (*)(LayerTrial<S>&)>;

template <class S>
inline constexpr Promise<S> kPromises[] = {
    {"gradients", gradients},       {"accumulation", accumulation},
    {"four_ways", four_ways},       {"chunks", chunks},
    {"empty_blocks", empty_blocks}, {"starts", starts},
    {"segments", segments},         {"causality", causality},
    {"independence", independence}, {"copies", copies},
    {"cache_reuse", cache_reuse},   {"fresh_caches", fresh_caches},
    {"executors", executors},       {"streams", streams},
    {"refusal", refusal},           {"wrong_shapes", wrong_shapes},
};

/// The function behind check_layer, once for each scalar.
template <class S>
std::vector<Finding> check_any_layer(const AnyLayer<S>& layer, const CheckLayerOptions& options) {
  for (const auto* names : {&options.promises, &options.exact})
    for (const std::string& name : *names) {
      bool is_known = false;
      for (const auto& [promise, function] : kPromises<S>) is_known = is_known || name == promise;
      check_that(is_known, "check_layer", "promises", "names of promises", name);
    }
  LayerTrial<S> trial(layer, options);
  for (const auto& [name, promise] : kPromises<S>)
    if (options.promises.empty() || options.promises.contains(name)) trial.run(name, promise);
  return trial.findings.all();
}

}  // namespace detail::promises

/// Whether a layer keeps what every layer promises; nothing is found where it does. A finding names its promise:
///   gradients      backward gives the derivatives by x, by the parameters and by the state
///   accumulation   a second backward gives and adds the same again
///   four_ways      forward, infer, chunks with the state carried and step frame by frame give the same
///   chunks         so does training in chunks, gradients included
///   empty_blocks   no frames, or no sequences, give an empty result and change nothing
///   starts         a start is the initial state, whatever came before it
///   segments       training on a packed batch is training on its segments alone
///   causality      frames ahead change no output
///   independence   no sequence of a batch sees another one
///   copies         a copy of the layer gives the same and shares nothing; caches may move
///   cache_reuse    a cache that has seen other shapes gives what a new one gives
///   fresh_caches   training with a new cache for each step is training with one for all
///   executors      give the same bits, whatever the number of their workers
///   streams        of one layer, in turn or on threads, do not touch
///   refusal        backward refuses a cache that forward was not the last to use
///   wrong_shapes   throw std::invalid_argument and change nothing
/// Works for any `SequenceLayer`, one of your own included; needs no test framework. In double gradients are checked to
/// 1e-7, in float to 5 %. The layer is left as it was. A `SequenceMap` without `step` promises neither causality nor
/// anything of steps and chunks, and of starts that nothing passes them in either direction.
template <SequenceMap L>
std::vector<Finding> check_layer(const L& layer, const CheckLayerOptions& options = {}) {
  return detail::promises::check_any_layer(detail::erased::AnyLayer<typename L::Scalar>(layer), options);
}

}  // namespace minrnn
