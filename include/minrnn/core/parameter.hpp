// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "minrnn/core/check.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/types.hpp"

#ifdef EIGEN_NO_MALLOC
#error "EIGEN_NO_MALLOC leaves the layers of minrnn no memory; minrnn/cells works with it"
#endif

namespace minrnn {

/// What is learned: a value and the gradient of the loss with respect to it, of the same shape. A vector is a matrix of
/// one column. Every backward adds to `grad`; `zero_gradients` is the only thing that clears it.
template <class S>
struct Parameter {
  using Scalar = S;

  Parameter() = default;
  /// Zeros. Throws std::invalid_argument for sizes below 0 or that no memory holds.
  Parameter(Index rows, Index columns, ReadBy by = ReadBy::elements) : read_by(by) {
    detail::check_that(!detail::beyond_memory(rows, columns, 1), "Parameter", "(rows, columns)",
                       "sizes of at least 0 that memory can hold", {rows, " and ", columns});
    value.setZero(rows, columns);
    grad.setZero(rows, columns);
  }
  /// A vector: one column, and rank 1 in a checkpoint.
  explicit Parameter(Index size) : Parameter(size, 1) { rank = 1; }

  /// The same whatever it is stored as.
  Index rows() const { return is_narrow() ? narrow.rows() : value.rows(); }
  Index cols() const { return is_narrow() ? narrow.cols() : value.cols(); }
  Index size() const { return rows() * cols(); }
  bool is_narrow() const { return value.rows() == 0 && !narrow.empty(); }

  Matrix<S> value, grad;
  int rank = 2;
  bool decays = true;  // false: no weight decay pulls it to zero, whatever its rank
  ReadBy read_by = ReadBy::elements;
  detail::NarrowWeight<S> narrow;  // what `quantise` makes of it in a model that only streams; then value is empty
};

/// The path of a parameter or a state, "blocks/0/mixer/w_z", as a list of parts on the call stack: visiting allocates
/// nothing until somebody asks for the text.
class Name {
 public:
  Name() = default;
  Name(const Name& parent, std::string_view part) : parent_(&parent), part_(part) {}
  Name(const Name& parent, Index number) : parent_(&parent), number_(number) {}

  std::string str() const {
    std::string path;
    add_to(path);
    return path;
  }

  /// Whether `str()` would be this text; allocates nothing.
  bool is(std::string_view path) const { return cut_from(path) && path.empty(); }

 private:
  MINRNN_COLD void add_to(std::string& path) const {
    if (parent_ == nullptr) return;
    parent_->add_to(path);
    if (!path.empty()) path += '/';
    path += part_.empty() ? detail::Digits(number_).text() : part_;
  }
  /// Takes this path from the end of another, if it ends so.
  bool cut_from(std::string_view& path) const {
    if (parent_ == nullptr) return true;
    const detail::Digits number(number_);
    const std::string_view own = part_.empty() ? number.text() : part_;
    if (!path.ends_with(own)) return false;
    path.remove_suffix(own.size());
    if (parent_->parent_ == nullptr) return true;
    if (!path.ends_with('/')) return false;
    path.remove_suffix(1);
    return parent_->cut_from(path);
  }

  const Name* parent_ = nullptr;
  std::string_view part_;
  Index number_ = 0;
};

inline Name operator/(const Name& parent, std::string_view part) { return {parent, part}; }
inline Name operator/(const Name& parent, Index number) { return {parent, number}; }

namespace detail {
struct AnyVisitor {
  template <class T>
  void operator()(const Name&, T&) const {}
};
}  // namespace detail

/// What says which parameters it has, const or not: a static `visit(self, scope, visitor)` that calls
/// visitor(scope / name, parameter) for each of them, and the visit of its parts with scope / part.
template <class T>
concept Parameterised = requires(std::remove_const_t<T>& thing, const std::remove_const_t<T>& fixed,
                                 detail::AnyVisitor visitor) {
  std::remove_const_t<T>::visit(thing, Name{}, visitor);
  std::remove_const_t<T>::visit(fixed, Name{}, visitor);
};

/// Calls visitor(const Name&, Parameter<S>&) for every parameter of a layer, const or not, always in the same order.
template <Parameterised L, class V>
void visit_parameters(L& layer, V&& visitor) {
  std::remove_const_t<L>::visit(layer, Name{}, visitor);
}

/// The number of scalars that a layer learns.
template <Parameterised L>
Index parameter_count(const L& layer) {
  Index count = 0;
  visit_parameters(layer, [&](const Name&, const auto& parameter) { count += parameter.size(); });
  return count;
}

template <Parameterised L>
void zero_gradients(L& layer) {
  visit_parameters(layer, [](const Name&, auto& parameter) { parameter.grad.setZero(); });
}

}  // namespace minrnn
