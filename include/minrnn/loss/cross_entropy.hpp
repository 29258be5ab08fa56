// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/place_of_largest.hpp"
#include "minrnn/kernels/wide_sum.hpp"
#include "minrnn/loss/mean_loss.hpp"
#include "minrnn/loss/weights.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

namespace detail {

/// How many targets count, and their weights: those that are not negative, and whose weight is not 0. Throws where one
/// is no class.
template <class S, class Target>
MeanLoss count_targets(const char* name, SequenceView<const Target> targets, Index classes,
                       const FrameWeights<S>& weights) {
  MeanLoss counted;
  for (Index b = 0; b < targets.batch(); ++b)
    for (Index t = 0; t < targets.time(); ++t) {
      const Target target = *targets.column(t, b);
      if (target >= classes) [[unlikely]]
        throw_argument(name, "targets", {"classes below ", classes}, target);
      const double weight = target >= 0 ? weights(t, b) : 0;
      counted.count += weight > 0;
      counted.weight += weight;
    }
  return counted;
}

/// The loss of one frame whose target counts. p (V) is scratch, or where a scale is given it becomes dlogits, which is
/// scale (softmax(l) - onehot(target)); it may be the memory of the logits.
template <class S>
MINRNN_INLINE double frame_cross_entropy(Row<const S> logits, Index classes, Index target, const double* scale,
                                         Row<S> p) {
  const Index place = place_of_largest(logits.data, classes);
  const S largest = logits.data[place];
  const double of_target = static_cast<double>(logits.data[target]);  // before anything is written
  for_lanes<S>(classes, [&](auto i) { p[i] = exp(logits[i] - largest); });
  // The largest has exp(0) = 1. The others are summed without it: where they are small, log1p of their sum and the
  // gradient at the largest keep the digits that 1 + others would lose.
  const S first = std::exchange(p.data[place], S(0));
  const double others = sum_in_double(classes, [&](Index v) { return static_cast<double>(p.data[v]); });
  const double loss = std::log1p(others) + (static_cast<double>(largest) - of_target);
  if (scale == nullptr) return loss;
  const double factor = *scale / (1 + others);
  p.data[place] = first;
  for_lanes<S>(classes, [&](auto i) { p[i] = p[i] * static_cast<S>(factor); });
  // largest - largest: NaN, as the loss, where it is infinite.
  p.data[target] = target == place ? static_cast<S>(-others * factor) + (largest - largest)
                                   : p.data[target] - static_cast<S>(*scale);
  return loss;
}

/// Without dlogits (nullptr) the loss alone.
template <class S, class Target>
MeanLoss cross_entropy(SequenceView<const S> logits, SequenceView<const Target> targets, const FrameWeights<S>& weights,
                       Sequence<S>* dlogits, const Context& context) {
  const char* name = "softmax_cross_entropy";
  const Index classes = logits.features(), time = logits.time(), batch = logits.batch();
  if (classes < 1) throw_argument(name, "logits", "at least 1 class", classes);
  check_sequence(name, "logits", logits, classes);
  check_sequence(name, "targets", targets, 1, time, batch);
  weights.check_frames(name, time, batch);
  MeanLoss result = count_targets(name, targets, classes, weights);
  const double whole = result.count > 0 ? result.weight : 1, scale = 1 / whole;
  const SequenceView<S> gradient = dlogits ? dlogits->resize(classes, time, batch) : SequenceView<S>();
  const Frames frames({32.0 * static_cast<double>(classes)}, logits);
  std::vector<double> sums(static_cast<std::size_t>(frames.tiles()));
  Sequence<S> scratch(classes, 1, context.workers());
  parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index worker) {
    double sum = 0;
    frames.for_each(tile, [&](Index n) {
      const Index t = n % time, b = n / time;
      const Row<S> p = dlogits ? gradient.row(t, b) : scratch.view().row(0, worker);
      const Target target = *targets.column(t, b);
      const double weight = weights(t, b), factor = weight * scale;
      if (target < 0 || weight == 0)
        std::fill_n(p.data, classes, S(0));
      else
        sum += weight * frame_cross_entropy<S>(logits.row(t, b), classes, static_cast<Index>(target),
                                               dlogits ? &factor : nullptr, p);
    });
    sums[static_cast<std::size_t>(tile)] = sum;
  });
  for (const double sum : sums) result.loss += sum;
  result.loss /= whole;
  return result;
}

}  // namespace detail

/// Softmax cross-entropy, the mean over all targets that count, and its gradient in one pass.
///
/// Equations   loss = mean(log sum_v exp(l_v) - l_target) = mean(log1p(sum_{v != m} exp(l_v - l_m)) + l_m - l_target)
///             with m the place of the largest logit, summed in double; with weights w: sum(w loss_n) / sum(w)
/// Shapes      logits, dlogits (V, T, B); targets (1, T, B) of std::int32_t or std::int64_t, a negative one is ignored;
///             weights (1, T, B)
/// Gradient    dlogits = w (softmax(l) - onehot(target)) / sum(w), where w is 1 unless it is given, summed over the
///             targets that are not ignored; 0 where the target is ignored or its weight is 0
/// Unit        nats
/// Throws      std::invalid_argument for a wrong shape, no class, missing memory, a target of V or more, or a weight
///             that is negative or no finite number
template <class S>
MeanLoss softmax_cross_entropy(SequenceView<const std::type_identity_t<S>> logits,
                               SequenceView<const std::int32_t> targets, Sequence<S>& dlogits,
                               const Context& context = {}) {
  return detail::cross_entropy<S>(logits, targets, {}, &dlogits, context);
}
template <class S>
MeanLoss softmax_cross_entropy(SequenceView<const std::type_identity_t<S>> logits,
                               SequenceView<const std::int64_t> targets, Sequence<S>& dlogits,
                               const Context& context = {}) {
  return detail::cross_entropy<S>(logits, targets, {}, &dlogits, context);
}
template <class S>
MeanLoss softmax_cross_entropy(SequenceView<const std::type_identity_t<S>> logits,
                               SequenceView<const std::int32_t> targets,
                               const Weights<std::type_identity_t<S>>& weights, Sequence<S>& dlogits,
                               const Context& context = {}) {
  return detail::cross_entropy<S>(logits, targets, detail::FrameWeights<S>(weights), &dlogits, context);
}
template <class S>
MeanLoss softmax_cross_entropy(SequenceView<const std::type_identity_t<S>> logits,
                               SequenceView<const std::int64_t> targets,
                               const Weights<std::type_identity_t<S>>& weights, Sequence<S>& dlogits,
                               const Context& context = {}) {
  return detail::cross_entropy<S>(logits, targets, detail::FrameWeights<S>(weights), &dlogits, context);
}

/// The loss alone.
template <SequenceLike Logits>
MeanLoss softmax_cross_entropy(const Logits& logits, SequenceView<const std::int32_t> targets,
                               const Context& context = {}) {
  using S = typename Logits::Scalar;
  return detail::cross_entropy<S, std::int32_t>(logits, targets, {}, nullptr, context);
}
template <SequenceLike Logits>
MeanLoss softmax_cross_entropy(const Logits& logits, SequenceView<const std::int64_t> targets,
                               const Context& context = {}) {
  using S = typename Logits::Scalar;
  return detail::cross_entropy<S, std::int64_t>(logits, targets, {}, nullptr, context);
}
template <SequenceLike Logits>
MeanLoss softmax_cross_entropy(const Logits& logits, SequenceView<const std::int32_t> targets,
                               const Weights<typename Logits::Scalar>& weights, const Context& context = {}) {
  using S = typename Logits::Scalar;
  return detail::cross_entropy<S, std::int32_t>(logits, targets, detail::FrameWeights<S>(weights), nullptr, context);
}
template <SequenceLike Logits>
MeanLoss softmax_cross_entropy(const Logits& logits, SequenceView<const std::int64_t> targets,
                               const Weights<typename Logits::Scalar>& weights, const Context& context = {}) {
  using S = typename Logits::Scalar;
  return detail::cross_entropy<S, std::int64_t>(logits, targets, detail::FrameWeights<S>(weights), nullptr, context);
}

}  // namespace minrnn
