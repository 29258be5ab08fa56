// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "minrnn/core/layer.hpp"
#include "minrnn/testing/finding.hpp"
#include "minrnn/testing/layer_trial.hpp"
#include "minrnn/testing/promises_of_isolation.hpp"
#include "minrnn/testing/promises_of_results.hpp"
#include "minrnn/testing/promises_of_use.hpp"

namespace minrnn {

/// Whether a layer keeps what every layer promises; nothing is found where it does. A finding names its promise:
///   gradients      backward gives the derivatives by x, by the parameters and by the state
///   accumulation   a second backward gives and adds the same again
///   four_ways      forward, infer, chunks with the state carried and step frame by frame give the same
///   chunks         so does training in chunks, gradients included
///   starts         a start is the initial state, whatever came before it
///   segments       training on a packed batch is training on its segments alone
///   causality      frames ahead change no output
///   independence   no sequence of a batch sees another one
///   copies         a copy of the layer gives the same and shares nothing
///   cache_reuse    a cache that has seen other shapes gives what a new one gives
///   fresh_caches   training with a new cache for each step is training with one for all
///   executors      give the same bits, whatever the number of their workers
///   refusal        backward refuses a cache that forward was not the last to use
///   wrong_shapes   throw std::invalid_argument and change nothing
/// Works for any `SequenceLayer`, one of your own included; needs no test framework. In double gradients are checked to
/// 1e-7, in float to 5 %. The layer is left as it was.
template <SequenceLayer L>
std::vector<Finding> check_layer(const L& layer, const CheckLayerOptions& options = {}) {
  detail::promises::LayerTrial<L> trial(layer, options);
  trial.run("gradients", detail::promises::gradients);
  trial.run("accumulation", detail::promises::accumulation);
  trial.run("four_ways", detail::promises::four_ways);
  trial.run("chunks", detail::promises::chunks);
  trial.run("starts", detail::promises::starts);
  trial.run("segments", detail::promises::segments);
  trial.run("causality", detail::promises::causality);
  trial.run("independence", detail::promises::independence);
  trial.run("copies", detail::promises::copies);
  trial.run("cache_reuse", detail::promises::cache_reuse);
  trial.run("fresh_caches", detail::promises::fresh_caches);
  trial.run("executors", detail::promises::executors);
  trial.run("refusal", detail::promises::refusal);
  trial.run("wrong_shapes", detail::promises::wrong_shapes);
  return trial.findings.all();
}

}  // namespace minrnn
