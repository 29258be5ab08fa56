// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/kernels/wide_sum.hpp"
#include "minrnn/loss/mean_loss.hpp"
#include "minrnn/loss/weights.hpp"

namespace minrnn {

namespace detail {

/// The sum of ((y - target) scale)^2 over n elements in double; dy = slope (y - target), unless dy is null.
template <class S>
double sum_of_squares(const S* y, const S* target, Index n, double scale, double slope, S* dy) {
  const auto difference = [&](Index i) { return static_cast<double>(y[i]) - static_cast<double>(target[i]); };
  const auto square = [](double d) { return d * d; };
  if (scale != 1)  // whose square may be no number; the gradient is written already
    return sum_in_double(n, [&](Index i) { return square(as_written(difference(i) * scale)); });
  if (dy == nullptr) return sum_in_double(n, [&](Index i) { return square(difference(i)); });
  return sum_in_double(n, [&](Index i) {
    const double d = difference(i);
    dy[i] = static_cast<S>(d * slope);
    return square(d);
  });
}

/// Calls body(first, last, weight) for the runs of steps of sequence b, in [from, to), that have one weight.
template <class S, class Body>
void for_runs(const FrameWeights<S>& weights, Index from, Index to, Index b, Body&& body) {
  if (weights.all_count()) return body(from, to, 1.0);
  for (Index first = from, last = from; first < to; first = last) {
    const double weight = weights(first, b);
    while (last < to && weights(last, b) == weight) ++last;
    body(first, last, weight);
  }
}

/// How many elements count, and their weights.
template <class S>
MeanLoss count_elements(const FrameWeights<S>& weights, Index features, Index time, Index batch) {
  MeanLoss counted;
  for (Index b = 0; b < batch; ++b)
    for_runs(weights, 0, time, b, [&](Index first, Index last, double weight) {
      const Index elements = (last - first) * features;
      counted.count += weight > 0 ? elements : 0;
      counted.weight += weight * static_cast<double>(elements);
    });
  return counted;
}

/// Without dy (nullptr) the loss alone.
template <class S>
MeanLoss mean_square(SequenceView<const S> y, SequenceView<const S> target, const FrameWeights<S>& weights,
                     Sequence<S>* dy, const Context& context) {
  const char* name = "mean_square";
  const Index features = y.features(), time = y.time(), batch = y.batch();
  check_sequence(name, "y", y, features);
  check_sequence(name, "target", target, features, time, batch);
  weights.check_frames(name, time, batch);
  MeanLoss result = count_elements(weights, features, time, batch);
  const double whole = result.count > 0 ? result.weight : 1;
  const SequenceView<S> gradient = dy ? dy->resize(features, time, batch) : SequenceView<S>();
  const Tiling tiling(features, time, batch, {16.0 * static_cast<double>(features)});
  std::vector<double> sums(static_cast<std::size_t>(tiling.count()));
  const auto mean_of_scaled = [&](double scale) {
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      const auto [first_sequence, last_sequence, first_step, last_step] = tiling[tile];
      double sum = 0;
      for (Index b = first_sequence; b < last_sequence; ++b)
        for_runs(weights, first_step, last_step, b, [&, b](Index first, Index last, double weight) {
          const Index n = (last - first) * features;
          S* out = dy ? gradient.column(first, b) : nullptr;
          if (weight > 0)
            sum +=
                weight * sum_of_squares(y.column(first, b), target.column(first, b), n, scale, 2 * weight / whole, out);
          else if (dy)
            std::fill_n(out, n, S(0));
        });
      sums[static_cast<std::size_t>(tile)] = sum;
    });
    double sum = 0;
    for (const double of_tile : sums) sum += of_tile;
    return as_written(sum / whole / scale) / scale;
  };
  result.loss = mean_of_scaled(1);
  if (!is_finite(result.loss)) result.loss = mean_of_scaled(0x1p-600);  // a mean may be finite where the sum is not
  return result;
}

}  // namespace detail

/// The mean square error over all elements that count, and its gradient in one pass. Differences and their squares are
/// those of double.
///
/// Equations   loss = mean((y - target)^2) over all elements, or with a mask over those of the frames whose mask is not
///             0; with weights w: sum(w (y - target)^2) / sum(w)
/// Shapes      y, target, dy (F, T, B); mask (1, T, B): 0 where a frame is ignored, as the padding of a shorter
///             sequence, whatever y and target hold there; weights (1, T, B)
/// Gradient    dy = 2 w (y - target) / sum(w), where w is 1 unless it is given, summed over the elements that count; 0
///             where a frame is ignored
/// Throws      std::invalid_argument where shapes differ or memory is missing, or for a weight that is negative or no
///             finite number
template <class S>
MeanLoss mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                     Sequence<S>& dy, const Context& context = {}) {
  return detail::mean_square<S>(y, target, {}, &dy, context);
}
template <class S>
MeanLoss mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                     SequenceView<const std::uint8_t> mask, Sequence<S>& dy, const Context& context = {}) {
  return detail::mean_square<S>(y, target, detail::FrameWeights<S>(mask), &dy, context);
}
template <class S>
MeanLoss mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                     const Weights<std::type_identity_t<S>>& weights, Sequence<S>& dy, const Context& context = {}) {
  return detail::mean_square<S>(y, target, detail::FrameWeights<S>(weights), &dy, context);
}

/// The loss alone.
template <SequenceLike Y>
MeanLoss mean_square(const Y& y, SequenceView<const typename Y::Scalar> target, const Context& context = {}) {
  return detail::mean_square<typename Y::Scalar>(y, target, {}, nullptr, context);
}
template <SequenceLike Y>
MeanLoss mean_square(const Y& y, SequenceView<const typename Y::Scalar> target, SequenceView<const std::uint8_t> mask,
                     const Context& context = {}) {
  using S = typename Y::Scalar;
  return detail::mean_square<S>(y, target, detail::FrameWeights<S>(mask), nullptr, context);
}
template <SequenceLike Y>
MeanLoss mean_square(const Y& y, SequenceView<const typename Y::Scalar> target,
                     const Weights<typename Y::Scalar>& weights, const Context& context = {}) {
  using S = typename Y::Scalar;
  return detail::mean_square<S>(y, target, detail::FrameWeights<S>(weights), nullptr, context);
}

}  // namespace minrnn
