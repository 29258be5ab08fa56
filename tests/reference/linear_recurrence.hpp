// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "minrnn/core/types.hpp"

namespace minrnn::reference {

/// h_t = a_t h_{t-1} + b_t of one sequence, step by step: a, b, h (H, T); state (H) enters as h_0. Where starts[t] is
/// set h_{t-1} counts as 0.
template <class S>
Matrix<S> linear_recurrence(const Matrix<S>& a, const Matrix<S>& b, const Matrix<S>& state,
                            const std::vector<std::uint8_t>& starts = {}) {
  Matrix<S> h(a.rows(), a.cols());
  for (Index i = 0; i < a.rows(); ++i) {
    S before = state(i, 0);
    for (Index t = 0; t < a.cols(); ++t) {
      if (!starts.empty() && starts[static_cast<std::size_t>(t)]) before = 0;
      h(i, t) = before = a(i, t) * before + b(i, t);
    }
  }
  return h;
}

template <class S>
struct RecurrenceGradient {
  Matrix<S> da, db;  // (H, T)
  Matrix<S> dstate;  // (H)
};

/// Its gradient by the definition: dL/db_s = sum over t >= s of dh_t a_t a_{t-1} ... a_{s+1}, in O(T^2).
template <class S>
RecurrenceGradient<S> linear_recurrence_gradient(const Matrix<S>& a, const Matrix<S>& b, const Matrix<S>& state,
                                                 const Matrix<S>& dh, const Matrix<S>& dfinal,
                                                 const std::vector<std::uint8_t>& starts = {}) {
  const Index features = a.rows(), time = a.cols();
  const Matrix<S> h = linear_recurrence(a, b, state, starts);
  const auto start = [&](Index t) { return !starts.empty() && starts[static_cast<std::size_t>(t)]; };
  RecurrenceGradient<S> gradient{Matrix<S>(features, time), Matrix<S>(features, time), Matrix<S>(features, 1)};
  for (Index i = 0; i < features; ++i) {
    // What h_t contributes to the loss: its own dh, and for the last one what follows.
    const auto weight = [&](Index t) { return dh(i, t) + (t == time - 1 ? dfinal(i, 0) : S(0)); };
    const auto reach = [&](Index s) {  // dL/dh_s, along all paths
      S sum = 0, factor = 1;
      for (Index t = s; t < time; ++t) {
        if (t > s) factor *= start(t) ? S(0) : a(i, t);
        sum += factor * weight(t);
      }
      return sum;
    };
    for (Index s = 0; s < time; ++s) {
      const S before = start(s) ? S(0) : s == 0 ? state(i, 0) : h(i, s - 1);
      gradient.db(i, s) = reach(s);
      gradient.da(i, s) = before * reach(s);
    }
    gradient.dstate(i, 0) = time == 0 ? dfinal(i, 0) : (start(0) ? S(0) : a(i, 0)) * reach(0);
  }
  return gradient;
}

}  // namespace minrnn::reference
