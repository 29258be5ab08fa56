// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"

/// Sums over groups of channels, one group after the other, for the selective scan.
namespace minrnn::detail {

/// Takes dbc of one group of channels in one block to where it is gathered: over what is there, or onto it.
template <class S>
void gather_dbc(Columns<const S> dbc, bool adds, Columns<S> sum) {
  for (Index t = 0; t < dbc.count; ++t) {
    const Row<const S> dbc_t = dbc[t];
    const Row<S> sum_t = sum[t];
    for_lanes<S>(dbc.rows, [&](auto i) { sum_t[i] = adds ? sum_t[i] + dbc_t[i] : dbc_t[i]; });
  }
}
/// dbc of each sequence, from those of its groups of channels.
template <class S>
void sum_groups(const Context& context, SequenceView<const S> of_groups, Index groups, SequenceView<S> dbc) {
  const Frames frames({8.0 * static_cast<double>(groups * dbc.features())}, dbc);
  parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
    frames.for_each(tile, [&](Index n) {
      const Index t = n % dbc.time(), first = n / dbc.time() * groups;
      for (Index number = 0; number < groups; ++number)
        gather_dbc<S>({of_groups.column(t, first + number), dbc.features(), 1}, number > 0,
                      {dbc.column(t, n / dbc.time()), dbc.features(), 1});
    });
  });
}
/// The columns, set to zero.
template <class S>
Columns<S> zeroed(Columns<S> all) {
  for (Index j = 0; j < all.count; ++j) std::fill_n(all[j].data, all.rows, S(0));
  return all;
}

}  // namespace minrnn::detail
