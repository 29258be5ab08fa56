// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "minrnn/core/sequence.hpp"

/// What tests compare: named matrices. Equal means the same bits, NaN equal to nothing.
namespace minrnn::tests {

/// Everything that a run gave, by name: "y", "dx", "state h", "dstate h", "grad w_z".
template <class S>
using Results = std::map<std::string, Matrix<S>>;

/// A view as a matrix (F, T B), the columns of a sequence side by side.
template <class S>
Matrix<std::remove_const_t<S>> to_matrix(SequenceView<S> view) {
  Matrix<std::remove_const_t<S>> m(view.features(), view.time() * view.batch());
  for (Index b = 0; b < view.batch(); ++b) m.middleCols(b * view.time(), view.time()) = view.matrix(b);
  return m;
}

namespace detail {

template <class S, class Accept>
::testing::AssertionResult compare(const Matrix<S>& a, const Matrix<S>& b, const std::string& what, Accept&& accept) {
  if (a.rows() != b.rows() || a.cols() != b.cols())
    return ::testing::AssertionFailure() << what << ": shapes " << a.rows() << " x " << a.cols() << " and " << b.rows()
                                         << " x " << b.cols();
  for (Index j = 0; j < a.cols(); ++j)
    for (Index i = 0; i < a.rows(); ++i)
      if (!accept(a(i, j), b(i, j)))
        return ::testing::AssertionFailure()
               << std::hexfloat << what << "(" << i << ", " << j << "): " << a(i, j) << " and " << b(i, j)
               << std::defaultfloat << ", that is " << a(i, j) << " and " << b(i, j);
  return ::testing::AssertionSuccess();
}

template <class S, class Compare>
::testing::AssertionResult compare(const Results<S>& a, const Results<S>& b, Compare&& compare_matrices) {
  if (a.empty() || a.size() != b.size())
    return ::testing::AssertionFailure() << a.size() << " and " << b.size() << " results";
  for (const auto& [name, matrix] : a) {
    const auto other = b.find(name);
    if (other == b.end()) return ::testing::AssertionFailure() << "no " << name << " in the second";
    if (auto result = compare_matrices(matrix, other->second, name); !result) return result;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace detail

template <class S>
::testing::AssertionResult equal(const Matrix<S>& a, const Matrix<S>& b, const std::string& what = "element") {
  return detail::compare(a, b, what, [](S p, S q) { return p == q; });
}

/// |a - b| <= tolerance max(1, the largest magnitude in b): the error of a sum counts against what is summed.
template <class S>
::testing::AssertionResult close(const Matrix<S>& a, const Matrix<S>& b, double tolerance,
                                 const std::string& what = "element") {
  const double scale = b.size() == 0 ? 1 : std::max(1.0, static_cast<double>(b.cwiseAbs().maxCoeff()));
  return detail::compare(a, b, what, [&](S p, S q) {
    return std::abs(static_cast<double>(p) - static_cast<double>(q)) <= tolerance * scale;
  });
}

template <class S>
::testing::AssertionResult equal(const Results<S>& a, const Results<S>& b) {
  return detail::compare(
      a, b, [](const Matrix<S>& p, const Matrix<S>& q, const std::string& name) { return equal(p, q, name); });
}

template <class S>
::testing::AssertionResult close(const Results<S>& a, const Results<S>& b, double tolerance) {
  return detail::compare(a, b, [&](const Matrix<S>& p, const Matrix<S>& q, const std::string& name) {
    return close(p, q, tolerance, name);
  });
}

/// Gradients of parameters are sums over all frames, which a split adds up in another order: they are compared within
/// `tolerance`, all else bit for bit.
template <class S>
::testing::AssertionResult equal_but_sums(const Results<S>& a, const Results<S>& b, double tolerance) {
  return detail::compare(a, b, [&](const Matrix<S>& p, const Matrix<S>& q, const std::string& name) {
    return name.starts_with("grad ") ? close(p, q, tolerance, name) : equal(p, q, name);
  });
}

}  // namespace minrnn::tests
