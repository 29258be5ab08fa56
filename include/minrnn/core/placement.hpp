// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include "minrnn/core/check.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// Where a sequence of a list lies in a block (F, T, B): the frames [first, first + frames) of a row of it, which is
/// one of its B sequences.
struct Placement {
  Index row = 0, first = 0, frames = 0;

  Index last() const { return first + frames - 1; }
};

namespace detail {
inline void check_places(std::string_view where, std::span<const Placement> places, Index time, Index batch) {
  for (const Placement& place : places) {
    check_index(where, "places.row", place.row, batch);
    check_index(where, "places.last()", place.last(), time);
  }
}
}  // namespace detail

/// The last frame of each sequence of a list, which holds its one answer: column n is that of sequence n.
///
/// Shapes      y (K, T, B), answers (K, 1, N)
/// Gradient    `scatter_last`
/// Throws      std::invalid_argument for a place outside of y, or missing memory
template <class S>
SequenceView<const S> gather_last(std::span<const Placement> places, SequenceView<const std::type_identity_t<S>> y,
                                  Output<S>& answers) {
  detail::check_sequence("gather_last", "y", y, y.features());
  detail::check_places("gather_last", places, y.time(), y.batch());
  const SequenceView<S> to = answers.resize(y.features(), 1, static_cast<Index>(places.size()), y);
  Index n = 0;
  for (const Placement& place : places) std::copy_n(y.column(place.last(), place.row), y.features(), to.column(0, n++));
  return to;
}

/// The adjoint of `gather_last`: the gradient of each answer at the last frame of its sequence, and 0 elsewhere.
///
/// Shapes      danswers (K, 1, N), dy (K, T, B)
/// Throws      std::invalid_argument for a place outside of dy, or another shape
template <class S>
SequenceView<const S> scatter_last(std::span<const Placement> places,
                                   SequenceView<const std::type_identity_t<S>> danswers, Index time, Index batch,
                                   Output<S>& dy) {
  const Index features = danswers.features();
  detail::check_sequence("scatter_last", "danswers", danswers, features, 1, static_cast<Index>(places.size()));
  detail::check_places("scatter_last", places, time, batch);
  const SequenceView<S> to = dy.resize(features, time, batch, danswers);
  std::fill_n(to.data(), to.size(), S(0));
  Index n = 0;
  for (const Placement& place : places)
    std::copy_n(danswers.column(0, n++), features, to.column(place.last(), place.row));
  return to;
}

}  // namespace minrnn
