// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/kernels/wide_sum.hpp"
#include "minrnn/loss/mean_loss.hpp"

namespace minrnn {

namespace detail {

/// The sum of ((y - target) scale)^2 over n elements in double; dy = slope (y - target), unless dy is null.
template <class S>
double sum_of_squares(const S* y, const S* target, Index n, double scale, double slope, S* dy) {
  const auto difference = [&](Index i) { return static_cast<double>(y[i]) - static_cast<double>(target[i]); };
  if (dy == nullptr)
    return sum_in_double(n, [&](Index i) {
      const double d = difference(i);
      return d * scale * (d * scale);
    });
  return sum_in_double(n, [&](Index i) {
    const double d = difference(i);
    dy[i] = static_cast<S>(d * slope);
    return d * scale * (d * scale);
  });
}

/// Calls body(first, last, counts) for the runs of steps of sequence b, in [from, to), that are alike in the mask. One
/// run without a mask (nullptr).
template <class Body>
void for_runs(const SequenceView<const std::uint8_t>* mask, Index from, Index to, Index b, Body&& body) {
  if (mask == nullptr) return body(from, to, true);
  const auto counts = [&](Index t) { return *mask->column(t, b) != 0; };
  for (Index first = from, last = from; first < to; first = last) {
    while (last < to && counts(last) == counts(first)) ++last;
    body(first, last, counts(first));
  }
}

/// Without a mask (nullptr) all frames count; without dy (nullptr) the loss alone.
template <class S>
MeanLoss mean_square(SequenceView<const S> y, SequenceView<const S> target,
                     const SequenceView<const std::uint8_t>* mask, Sequence<S>* dy, const Context& context) {
  const char* name = "mean_square";
  const Index features = y.features(), time = y.time(), batch = y.batch();
  check_sequence(name, "y", y, features);
  check_sequence(name, "target", target, features, time, batch);
  if (mask != nullptr) check_sequence(name, "mask", *mask, 1, time, batch);
  MeanLoss result;
  for (Index b = 0; b < batch; ++b)
    for_runs(mask, 0, time, b,
             [&](Index first, Index last, bool counts) { result.count += counts ? (last - first) * features : 0; });
  const double count = static_cast<double>(std::max<Index>(result.count, 1)), slope = 2 / count;
  const SequenceView<S> gradient = dy ? dy->resize(features, time, batch) : SequenceView<S>();
  const Tiling tiling(features, time, batch, {16.0 * static_cast<double>(features)});
  std::vector<double> sums(static_cast<std::size_t>(tiling.count()));
  const auto mean_of_scaled = [&](double scale) {
    parallel_for(context, tiling.count(), tiling.work(), [&](Index tile, Index) {
      const auto [first_sequence, last_sequence, first_step, last_step] = tiling[tile];
      double sum = 0;
      for (Index b = first_sequence; b < last_sequence; ++b)
        for_runs(mask, first_step, last_step, b, [&, b](Index first, Index last, bool counts) {
          const Index n = (last - first) * features;
          S* out = dy ? gradient.column(first, b) : nullptr;
          if (counts)
            sum += sum_of_squares(y.column(first, b), target.column(first, b), n, scale, slope, out);
          else if (dy)
            std::fill_n(out, n, S(0));
        });
      sums[static_cast<std::size_t>(tile)] = sum;
    });
    double sum = 0;
    for (const double of_tile : sums) sum += of_tile;
    return sum / count / scale / scale;
  };
  result.loss = mean_of_scaled(1);
  if (!std::isfinite(result.loss)) result.loss = mean_of_scaled(0x1p-600);  // a mean may be finite where the sum is not
  return result;
}

}  // namespace detail

/// The mean square error over all elements that count, and its gradient in one pass. Differences and their squares are
/// those of double.
///
/// Equations   loss = mean((y - target)^2) over all elements, or with a mask over those of the frames whose mask is not
///             0
/// Shapes      y, target, dy (F, T, B); mask (1, T, B): 0 where a frame is ignored, as the padding of a shorter
///             sequence, whatever y and target hold there
/// Gradient    dy = 2 (y - target) / count, with count the elements that count; 0 where a frame is ignored
/// Throws      std::invalid_argument where shapes differ or memory is missing
template <class S>
MeanLoss mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                     Sequence<S>& dy, const Context& context = {}) {
  return detail::mean_square<S>(y, target, nullptr, &dy, context);
}
template <class S>
MeanLoss mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                     SequenceView<const std::uint8_t> mask, Sequence<S>& dy, const Context& context = {}) {
  return detail::mean_square<S>(y, target, &mask, &dy, context);
}

/// The loss alone.
template <SequenceLike Y>
MeanLoss mean_square(const Y& y, SequenceView<const typename Y::Scalar> target, const Context& context = {}) {
  return detail::mean_square<typename Y::Scalar>(y, target, nullptr, nullptr, context);
}
template <SequenceLike Y>
MeanLoss mean_square(const Y& y, SequenceView<const typename Y::Scalar> target, SequenceView<const std::uint8_t> mask,
                     const Context& context = {}) {
  return detail::mean_square<typename Y::Scalar>(y, target, &mask, nullptr, context);
}

}  // namespace minrnn
