// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/kernels/wide_sum.hpp"
#include "minrnn/loss/mean_loss.hpp"

namespace minrnn {

namespace detail {

/// Without a mask (nullptr) all frames count; without dy (nullptr) the loss alone.
template <class S>
MeanLoss mean_square(SequenceView<const S> y, SequenceView<const S> target,
                     const SequenceView<const std::uint8_t>* mask, Sequence<S>* dy, const Context& context) {
  const char* name = "mean_square";
  const Index features = y.features(), time = y.time(), batch = y.batch();
  check_sequence(name, "y", y, features);
  check_sequence(name, "target", target, features, time, batch);
  MeanLoss result{0, y.size()};
  if (mask != nullptr) {
    check_sequence(name, "mask", *mask, 1, time, batch);
    result.count = 0;
    for (Index b = 0; b < batch; ++b)
      result.count += features * (time - std::count(mask->column(0, b), mask->column(time, b), std::uint8_t{0}));
  }
  const auto counts = [&](Index t, Index b) { return mask == nullptr || *mask->column(t, b) != 0; };
  const double count = static_cast<double>(std::max<Index>(result.count, 1)), slope = 2 / count;
  const SequenceView<S> gradient = dy ? dy->resize(features, time, batch) : SequenceView<S>();
  const Tiling tiling(features, time, batch);
  std::vector<double> sums(static_cast<std::size_t>(tiling.count()));

  /// The sum of ((y - target) scale)^2 over steps [first, last) of sequence b, all of which count; writes their
  /// gradient.
  const auto sum_of_run = [&](Index first, Index last, Index b, double scale) {
    const S *of_y = y.column(first, b), *of_target = target.column(first, b);
    const auto difference = [&](Index i) { return static_cast<double>(of_y[i]) - static_cast<double>(of_target[i]); };
    const Index size = (last - first) * features;
    if (!dy)
      return sum_in_double(size, [&](Index i) {
        const double d = difference(i) * scale;
        return d * d;
      });
    S* out = gradient.column(first, b);
    return sum_in_double(size, [&](Index i) {
      const double d = difference(i);
      out[i] = static_cast<S>(d * slope);
      return d * scale * (d * scale);
    });
  };
  const auto mean_of_scaled = [&](double scale) {
    parallel_for(context, tiling.count(), [&](Index tile, Index) {
      const auto [first_sequence, last_sequence, first_step, last_step] = tiling[tile];
      double sum = 0;
      for (Index b = first_sequence; b < last_sequence; ++b)
        for (Index t = first_step; t < last_step;) {
          const Index first = t;
          const bool all_count = counts(first, b);
          if (mask == nullptr)
            t = last_step;
          else
            while (t < last_step && counts(t, b) == all_count) ++t;
          if (all_count)
            sum += sum_of_run(first, t, b, scale);
          else if (dy)
            std::fill(gradient.column(first, b), gradient.column(t, b), S(0));
        }
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
