// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn {

/// Registers side by side where a chain of operations is long: the exponentials of gates, a recurrence.
inline constexpr int kInterleaved = 2;

namespace detail {
/// Consecutive scalars that fill N registers, `offset` into whatever arrays are loaded and stored.
template <class S, int N = 1>
struct FullLanes {
  using P = Packet<S, N>;
  Index offset;
  MINRNN_INLINE P load(const S* p) const { return P::load(p + offset); }
  MINRNN_INLINE void store(S* p, P v) const { v.store(p + offset); }
};

/// The last `count` scalars of an array that do not fill N registers; the lanes beyond hold zero and are not stored.
template <class S, int N = 1>
struct PartialLanes {
  using P = Packet<S, N>;
  Index offset, count;
  MINRNN_INLINE P load(const S* p) const { return P::load_part(p + offset, count); }
  MINRNN_INLINE void store(S* p, P v) const { v.store_part(p + offset, count); }
};
}  // namespace detail

/// Calls body(lanes) over n scalars, N registers at a time. Element i is always computed the same way, whatever the
/// call. Within body, `typename decltype(lanes)::P` is the packet.
/// With a number `wide` it is `wide` registers at a time, and N of them where fewer are left.
template <class S, int N = 1, int wide = N, class Body>
MINRNN_INLINE void for_lanes(Index n, Body&& body) {
  Index i = 0;
  if constexpr (wide != N)
    for (; i + Packet<S, wide>::size <= n; i += Packet<S, wide>::size) body(detail::FullLanes<S, wide>{i});
  for (; i + Packet<S, N>::size <= n; i += Packet<S, N>::size) body(detail::FullLanes<S, N>{i});
  if (i < n) body(detail::PartialLanes<S, N>{i, n - i});
}

}  // namespace minrnn
