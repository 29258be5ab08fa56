// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"

namespace minrnn::bench {

/// Fills with f(standard normal), one draw of 2^16 numbers over and over: a benchmark needs believable data, and
/// drawing 64 million numbers would take longer than what is measured.
template <class S, class F>
void fill(SequenceView<S> view, Random& random, F&& f) {
  constexpr Index kPeriod = 1 << 16;
  const Index drawn = std::min(kPeriod, view.size());
  for (Index i = 0; i < drawn; ++i) view.data()[i] = static_cast<S>(f(random.normal()));
  for (Index i = drawn; i < view.size(); i += drawn)
    std::copy_n(view.data(), std::min(drawn, view.size() - i), view.data() + i);
}

template <class S>
void fill(SequenceView<S> view, Random& random) {
  fill(view, random, [](double x) { return x; });
}

}  // namespace minrnn::bench
