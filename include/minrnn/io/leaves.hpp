// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// What becomes one tensor: its scalar, its shape, and its elements, the last index fastest.
template <class T>
struct Leaf {
  static constexpr bool is = std::is_arithmetic_v<T>;
  static_assert(!is || (sizeof(T) == 8 && !std::same_as<T, long double>) || std::same_as<T, float>,
                "a number in a checkpoint is a float, a double, a std::int64_t or a std::uint64_t");
  using Scalar = T;
  static std::vector<std::uint64_t> shape(const T&) { return {}; }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    body(self);
  }
};
template <class S>
struct Leaf<Matrix<S>> {
  static constexpr bool is = true;
  using Scalar = S;
  static std::vector<std::uint64_t> shape(const Matrix<S>& m) {
    return {static_cast<std::uint64_t>(m.rows()), static_cast<std::uint64_t>(m.cols())};
  }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    for (Index i = 0; i < self.rows(); ++i)
      for (Index j = 0; j < self.cols(); ++j) body(self.coeffRef(i, j));
  }
};
/// The weights of a model that was quantised.
template <class T>
struct Leaf<StoredMatrix<T>> {
  static constexpr bool is = true;
  using Scalar = T;
  static std::vector<std::uint64_t> shape(const StoredMatrix<T>& m) {
    return {static_cast<std::uint64_t>(m.rows()), static_cast<std::uint64_t>(m.cols())};
  }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    for (Index i = 0; i < self.rows(); ++i)
      for (Index j = 0; j < self.cols(); ++j) body(self(i, j));
  }
};
template <class S>
struct Leaf<Parameter<S>> {
  static constexpr bool is = true;
  using Scalar = S;
  static std::vector<std::uint64_t> shape(const Parameter<S>& p) {
    auto shape = Leaf<Matrix<S>>::shape(p.value);
    if (p.rank == 1) shape.pop_back();
    return shape;
  }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    Leaf<Matrix<S>>::for_elements(self.value, body);
  }
};

/// Calls visitor(name, leaf) for all that `thing` holds, itself included.
template <class T, class V>
void visit_leaves(T& thing, const Name& name, const V& visitor) {
  using Plain = std::remove_const_t<T>;
  if constexpr (Leaf<Plain>::is)
    visitor(name, thing);
  else
    Plain::visit(thing, name, [&](const Name& inner, auto& part) { visit_leaves(part, inner, visitor); });
}

}  // namespace minrnn::detail
