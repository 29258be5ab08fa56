// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#if __has_include(<unsupported/Eigen/Tensor>)
#include <unsupported/Eigen/Tensor>
#else
#include <unsupported/Eigen/CXX11/Tensor>
#endif

#include <type_traits>

#include "minrnn/core/sequence.hpp"

/// What a SequenceView has to do with Eigen's tensors: `tensor()`, and that a map, which owns no memory, may be a
/// temporary. In a header of its own, as that of the tensors takes longer to compile than all else here.
namespace minrnn::detail {

template <class Plain, int options, template <class> class MakePointer>
inline constexpr bool kIsTensorMap<Eigen::TensorMap<Plain, options, MakePointer>> = true;

template <class S>
struct TensorMapOf {
  using Plain = Eigen::Tensor<std::remove_const_t<S>, 3>;
  using type = Eigen::TensorMap<std::conditional_t<std::is_const_v<S>, const Plain, Plain>>;
};

}  // namespace minrnn::detail
