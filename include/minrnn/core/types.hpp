// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <type_traits>

#if defined(_MSC_VER)
#define MINRNN_INLINE __forceinline
#define MINRNN_INLINE_LAMBDA
#define MINRNN_NOINLINE __declspec(noinline)
#define MINRNN_COLD __declspec(noinline)
#else
#define MINRNN_INLINE inline __attribute__((always_inline))
#define MINRNN_INLINE_LAMBDA __attribute__((always_inline))
#define MINRNN_NOINLINE __attribute__((noinline))
#define MINRNN_COLD __attribute__((cold, noinline))
#endif

namespace minrnn {

using Index = Eigen::Index;

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// A matrix over somebody else's memory: (rows, columns), features fastest, columns `outerStride` scalars apart.
template <class S>
using MatrixMap = Eigen::Map<std::conditional_t<std::is_const_v<S>, const Matrix<std::remove_const_t<S>>, Matrix<S>>,
                             Eigen::Unaligned, Eigen::OuterStride<>>;

namespace detail {
/// As std::array, but its size and its indices are of the type of all others here, with a sign.
template <class T, Index n>
struct Array {
  T values[static_cast<std::size_t>(n)];

  constexpr T& operator[](Index i) { return values[i]; }
  constexpr const T& operator[](Index i) const { return values[i]; }
  constexpr T* data() { return values; }
  constexpr const T* data() const { return values; }
};
/// Nothing: what some gates have none of.
template <class T>
struct Array<T, 0> {};
}  // namespace detail

}  // namespace minrnn
