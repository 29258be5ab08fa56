// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// The first of the largest of n >= 1 numbers; any of them where one is NaN.
template <class S>
Index place_of_largest(const S* x, Index n) {
  Packet<S> most(-std::numeric_limits<S>::infinity());
  Index whole = 0;
  for (; whole + Packet<S>::size <= n; whole += Packet<S>::size) most = maximum(most, Packet<S>::load(x + whole));
  S largest = most.largest();
  for (Index i = whole; i < n; ++i) largest = std::max<S>(largest, x[i]);
  const Index place = std::find(x, x + n, largest) - x;
  return place < n ? place : 0;
}

}  // namespace minrnn::detail
