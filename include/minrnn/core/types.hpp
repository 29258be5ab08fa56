// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

namespace minrnn {

using Index = Eigen::Index;

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;

/// A matrix over somebody else's memory: (rows, columns), features fastest, columns `outerStride` scalars apart.
template <class S>
using MatrixMap = Eigen::Map<std::conditional_t<std::is_const_v<S>, const Matrix<std::remove_const_t<S>>, Matrix<S>>,
                             Eigen::Unaligned, Eigen::OuterStride<>>;

}  // namespace minrnn
