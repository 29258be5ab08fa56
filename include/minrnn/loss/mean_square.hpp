// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/parallel.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/wide_sum.hpp"

namespace minrnn {

/// The mean square error over all elements, and its gradient in one pass. Differences and their squares are those of double.
///
/// Equations   loss = mean((y - target)^2), 0 of no element
/// Shapes      y, target, dy (F, T, B)
/// Gradient    dy = 2 (y - target) / (F T B)
/// Throws      std::invalid_argument where shapes differ or memory is missing
template <class S>
double mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                   Sequence<S>& dy, const Context& context = {}) {
  detail::check_sequence("mean_square", "y", y, y.features());
  detail::check_sequence("mean_square", "target", target, y.features(), y.time(), y.batch());
  const SequenceView<S> gradient = dy.resize(y.features(), y.time(), y.batch());
  const double count = static_cast<double>(std::max<Index>(y.size(), 1)), slope = 2 / count;
  const Tiling tiling(y.features(), y.time(), y.batch());
  std::vector<double> sums(static_cast<std::size_t>(tiling.count()));
  const auto mean_of_scaled = [&](double scale) {
    parallel_for(context, tiling.count(), [&](Index tile, Index) {
      const auto [first, last, first_step, last_step] = tiling[tile];
      double sum = 0;
      for (Index b = first; b < last; ++b) {
        const S *of_y = y.column(first_step, b), *of_target = target.column(first_step, b);
        S* out = gradient.column(first_step, b);
        sum += detail::sum_in_double((last_step - first_step) * y.features(), [&](Index i) {
          const double difference = static_cast<double>(of_y[i]) - static_cast<double>(of_target[i]);
          out[i] = static_cast<S>(difference * slope);
          return difference * scale * (difference * scale);
        });
      }
      sums[static_cast<std::size_t>(tile)] = sum;
    });
    double sum = 0;
    for (const double of_tile : sums) sum += of_tile;
    return sum / count / scale / scale;
  };
  const double loss = mean_of_scaled(1);
  return std::isfinite(loss) ? loss : mean_of_scaled(0x1p-600);  // a mean may be finite where the sum is not
}

}  // namespace minrnn
