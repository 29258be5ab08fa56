// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "minrnn/core/packet.hpp"
#include "minrnn/core/parallel.hpp"
#include "minrnn/core/sequence.hpp"

namespace minrnn {

/// The mean square error over all elements, and its gradient in one pass.
///
/// Equations   loss = mean((y - target)^2)
/// Shapes      y, target, dy (F, T, B)
/// Gradient    dy = 2 (y - target) / (F T B)
/// Throws      std::invalid_argument where shapes differ
template <class S>
double mean_square(SequenceView<const std::type_identity_t<S>> y, SequenceView<const std::type_identity_t<S>> target,
                   Sequence<S>& dy) {
  detail::check_sequence("mean_square", "target", target, y.features(), y.time(), y.batch());
  const SequenceView<S> gradient = dy.resize(y.features(), y.time(), y.batch());
  const double count = static_cast<double>(std::max<Index>(y.size(), 1));
  const Packet<S> slope(static_cast<S>(2 / count));
  const Tiling tiling(y.features(), y.time(), y.batch());
  std::vector<double> sums(static_cast<std::size_t>(tiling.count()));
  parallel_for(tiling.count(), [&](Index tile, Index) {
    const auto [first, last, first_step, last_step] = tiling[tile];
    double sum = 0;
    for (Index b = first; b < last; ++b)
      for (Index t = first_step; t < last_step; ++t) {
        Packet<S> squares(S(0));
        detail::for_lanes<S>(y.features(), [&](auto lanes) {
          const Packet<S> difference = lanes.load(y.column(t, b)) - lanes.load(target.column(t, b));
          squares = fma(difference, difference, squares);
          lanes.store(gradient.column(t, b), difference * slope);
        });
        sum += static_cast<double>(squares.sum());
      }
    sums[static_cast<std::size_t>(tile)] = sum;
  });
  double loss = 0;
  for (const double sum : sums) loss += sum;
  return loss / count;
}

}  // namespace minrnn
