// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"

/// Sequences walked from their last frame to their first.
namespace minrnn::detail {

/// The features of the frame that comes t-th in that order: frame T - 1 - t.
template <class S>
Row<S> row_from_end(SequenceView<S> view, Index t, Index b) {
  return view.row(view.time() - 1 - t, b);
}

/// to_t = from_{T - 1 - t}, for the features of `to`: those of `from` that begin with the feature `first`.
template <class S>
void reverse_time(const Context& context, SequenceView<const S> from, Index first, SequenceView<S> to) {
  for_packets<S>(context, to,
                 [&](auto i, Index t, Index b) { to.row(t, b)[i] = row_from_end(from, t, b).from(first)[i]; });
}

/// Where segments start in that order, so that the segments are the same: one that another one follows, whose start is
/// at frame t, begins with its last frame, t - 1. The first frame of all carries the state on, and the start of the
/// first segment is none. The flags lie in `memory`; without flags there are none.
inline Starts reversed_starts(Starts starts, Index time, Index batch, std::vector<std::uint8_t>& memory) {
  if (starts.flags == nullptr) return {};
  memory.assign(static_cast<std::size_t>(time * batch), 0);
  for (Index b = 0; b < batch; ++b)
    for (Index t = 1; t < time; ++t) memory[static_cast<std::size_t>(b * time + time - t)] = starts(t, b) ? 1 : 0;
  return {memory.data(), time};
}

}  // namespace minrnn::detail
