// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "minrnn/core/parallel.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

struct CrossEntropy {
  double loss = 0;  // nats, the mean over the counted targets; 0 where none counts
  Index count = 0;  // targets that count
};

namespace detail {

template <class S>
CrossEntropy cross_entropy(SequenceView<const S> logits, SequenceView<const std::int32_t> targets,
                           Sequence<S>* dlogits) {
  const char* name = "softmax_cross_entropy";
  const Index classes = logits.features(), time = logits.time(), batch = logits.batch();
  check_sequence(name, "targets", targets, 1, time, batch);
  CrossEntropy result;
  for (Index b = 0; b < batch; ++b)
    for (Index t = 0; t < time; ++t) {
      const std::int32_t target = *targets.column(t, b);
      if (target >= classes) [[unlikely]]
        throw_argument(name, "targets", "classes below " + std::to_string(classes), std::to_string(target));
      result.count += target >= 0;
    }
  const S scale = result.count > 0 ? S(1) / static_cast<S>(result.count) : S(0);
  const SequenceView<S> gradient = dlogits ? dlogits->resize(classes, time, batch) : SequenceView<S>();
  const Index frames = time * batch, size = std::max<Index>(64, (frames + 31) / 32), tiles = (frames + size - 1) / size;
  std::vector<double> sums(static_cast<std::size_t>(tiles));
  Sequence<S> scratch(classes, 1, worker_count());
  parallel_for(tiles, [&](Index tile, Index worker) {
    double sum = 0;
    for (Index n = tile * size; n < std::min<Index>(frames, (tile + 1) * size); ++n) {
      const Index t = n % time, b = n / time;
      const std::int32_t target = *targets.column(t, b);
      S* p = dlogits ? gradient.column(t, b) : scratch.view().column(0, worker);
      if (target < 0) {
        std::fill_n(p, classes, S(0));
        continue;
      }
      const S* logit = logits.column(t, b);
      const S largest = *std::max_element(logit, logit + classes);
      for_lanes<S>(classes, [&](auto lanes) { lanes.store(p, exp(lanes.load(logit) - Packet<S>(largest))); });
      Packet<S> total(S(0));
      for_lanes<S>(classes, [&](auto lanes) { total = total + lanes.load(p); });
      const S whole = total.sum();
      sum += std::log(static_cast<double>(whole)) + (static_cast<double>(largest) - static_cast<double>(logit[target]));
      if (!dlogits) continue;
      for_lanes<S>(classes, [&](auto lanes) { lanes.store(p, lanes.load(p) * Packet<S>(scale / whole)); });
      p[target] -= scale;
    }
    sums[static_cast<std::size_t>(tile)] = sum;
  });
  for (const double sum : sums) result.loss += sum;
  result.loss /= static_cast<double>(std::max<Index>(result.count, 1));
  return result;
}

}  // namespace detail

/// Softmax cross-entropy, the mean over all targets that count, and its gradient in one pass.
///
/// Equations   loss = mean(log sum_v exp(l_v) - l_target), the largest logit taken out of the sum
/// Shapes      logits, dlogits (V, T, B); targets (1, T, B), a negative one is ignored
/// Gradient    dlogits = (softmax(l) - onehot(target)) / count; 0 where the target is ignored
/// Throws      std::invalid_argument for a wrong shape or a target of V or more
template <class S>
CrossEntropy softmax_cross_entropy(SequenceView<const std::type_identity_t<S>> logits,
                                   SequenceView<const std::int32_t> targets, Sequence<S>& dlogits) {
  return detail::cross_entropy<S>(logits, targets, &dlogits);
}

/// The loss alone.
template <class S>
CrossEntropy softmax_cross_entropy(SequenceView<const S> logits, SequenceView<const std::int32_t> targets) {
  return detail::cross_entropy<S>(logits, targets, nullptr);
}

}  // namespace minrnn
