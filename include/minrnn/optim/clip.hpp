// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/wide_sum.hpp"

namespace minrnn {

/// The Euclidean norm of all gradients of a layer together, summed in double, in the order of the visit. No norm that
/// double can hold over- or underflows on the way: where the squares would, the gradients are scaled by a power of two.
template <Parameterised L>
double gradient_norm(const L& layer) {
  const auto norm_of = [&](auto&& scaled) {
    double sum = 0;
    visit_parameters(layer, [&](const Name&, const auto& p) {
      const auto* grad = p.grad.data();
      sum += detail::sum_in_double(p.grad.size(), [&](Index i) {
        const double g = scaled(static_cast<double>(grad[i]));
        return g * g;
      });
    });
    return std::sqrt(sum);
  };
  const auto norm_of_scaled = [&](double scale) {
    return norm_of([&](double g) { return detail::as_written(g * scale); }) / scale;
  };
  const double norm = norm_of([](double g) { return g; });
  if (norm < 0x1p-400) return norm_of_scaled(0x1p600);  // a square that is lost above is below 2^-1022
  if (!detail::is_finite(norm)) return norm_of_scaled(0x1p-600);
  return norm;
}

/// Scales all gradients by limit / norm where their norm is above `limit`. Returns the norm as it was. Where that is
/// not a finite number nothing scales them to the limit: all become NaN, so that an optimizer takes no part of them for
/// a gradient. Throws std::invalid_argument unless limit > 0.
/// Source  Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks"
template <Parameterised L>
double clip_gradient_norm(L& layer, double limit) {
  detail::check_that(limit > 0 && !detail::is_nan(limit), "clip_gradient_norm", "limit", "a positive number", limit);
  const double norm = gradient_norm(layer);
  if (!detail::is_finite(norm)) {
    visit_parameters(layer, [](const Name&, auto& p) {
      using S = typename std::decay_t<decltype(p)>::Scalar;
      p.grad.setConstant(std::numeric_limits<S>::quiet_NaN());
    });
    return norm;
  }
  if (!(norm > limit)) return norm;
  // In double, as the factor may be out of the range of a float whose product with it is not; and in two parts where it
  // is out of that of double.
  const double whole = limit / norm;
  const bool fits = whole >= (std::numeric_limits<double>::min)();
  const double first = fits ? whole : 1 / norm, second = fits ? 1 : limit;
  visit_parameters(layer, [&](const Name&, auto& p) {
    using S = typename std::decay_t<decltype(p)>::Scalar;
    S* grad = p.grad.data();
    for (Index i = 0; i < p.grad.size(); ++i) grad[i] = static_cast<S>(static_cast<double>(grad[i]) * first);
    if (!fits)
      for (Index i = 0; i < p.grad.size(); ++i) grad[i] = static_cast<S>(static_cast<double>(grad[i]) * second);
  });
  return norm;
}

}  // namespace minrnn
