// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/check.hpp"
#include "minrnn/core/parameter.hpp"

namespace minrnn {

/// The Euclidean norm of all gradients of a layer together, summed in double, in the order of the visit.
template <class L>
double gradient_norm(const L& layer) {
  double sum = 0;
  visit_parameters(layer, [&](const Name&, const auto& p) {
    for (Index j = 0; j < p.grad.cols(); ++j) sum += static_cast<double>(p.grad.col(j).squaredNorm());
  });
  return std::sqrt(sum);
}

/// Scales all gradients by limit / norm where their norm is above `limit`. Returns the norm as it was; where it is not a
/// finite number the gradients are left alone, so that the caller can see and skip the step.
/// Throws std::invalid_argument unless limit > 0.
/// Source  Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks"
template <class L>
double clip_gradient_norm(L& layer, double limit) {
  detail::check(limit > 0, "clip_gradient_norm", "limit", "a positive number", std::to_string(limit));
  const double norm = gradient_norm(layer);
  if (norm > limit && std::isfinite(norm))
    visit_parameters(layer, [&](const Name&, auto& p) {
      p.grad *= static_cast<typename std::decay_t<decltype(p)>::Scalar>(limit / norm);
    });
  return norm;
}

}  // namespace minrnn
