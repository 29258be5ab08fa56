// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/place_of_largest.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

/// y_i = exp(x_i) / sum_j exp(x_j) over n >= 1 numbers, the largest of them subtracted first. Where x has NaN or
/// +infinity all of y is NaN; -infinity beside finite numbers gives 0.
template <class S>
MINRNN_INLINE void softmax(Row<const S> x, Index n, Row<S> y) {
  const S largest = x.data[detail::place_of_largest(x.data, n)];
  for_lanes<S>(n, [&](auto i) MINRNN_INLINE_LAMBDA { y[i] = exp(x[i] - largest); });
  const Row<const S> stored = y;  // in lanes beyond the n-th the difference is not 0
  Packet<S> sum(S(0));
  for_lanes<S>(n, [&](auto i) MINRNN_INLINE_LAMBDA { sum = sum + stored[i]; });
  const Packet<S> share(1 / sum.sum());
  for_lanes<S>(n, [&](auto i) MINRNN_INLINE_LAMBDA { y[i] = stored[i] * share; });
}

/// dx_i = y_i (dy_i - sum_j y_j dy_j) from y = softmax(x).
template <class S>
MINRNN_INLINE void softmax_adjoint(Row<const S> y, Row<const S> dy, Index n, Row<S> dx) {
  Packet<S> dot(S(0));
  for_lanes<S>(n, [&](auto i) MINRNN_INLINE_LAMBDA { dot = fma(y[i], dy[i], dot); });
  const Packet<S> mean(dot.sum());
  for_lanes<S>(n, [&](auto i) MINRNN_INLINE_LAMBDA { dx[i] = y[i] * (dy[i] - mean); });
}

}  // namespace minrnn
