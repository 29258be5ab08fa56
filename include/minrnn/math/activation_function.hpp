// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/exact_gelu.hpp"
#include "minrnn/math/softmax.hpp"

/// Activations by name: what the layer `Activation` and its cell compute.
namespace minrnn {

enum class ActivationFunction {
  tanh,
  sigmoid,
  relu,
  elu,
  gelu,        // by tanh: torch.nn.GELU(approximate="tanh")
  exact_gelu,  // by erf: torch.nn.GELU()
  silu,        // x sigmoid(x)
  softmax      // over the features of a frame; all others are of each feature alone
};

constexpr std::string_view name_of(ActivationFunction function) {
  switch (function) {
    case ActivationFunction::tanh:
      return "tanh";
    case ActivationFunction::sigmoid:
      return "sigmoid";
    case ActivationFunction::relu:
      return "relu";
    case ActivationFunction::elu:
      return "elu";
    case ActivationFunction::gelu:
      return "gelu";
    case ActivationFunction::exact_gelu:
      return "exact gelu";
    case ActivationFunction::silu:
      return "silu";
    case ActivationFunction::softmax:
      return "softmax";
  }
  return "";
}

namespace detail {

/// Calls body(constant) for each function, as a std::integral_constant.
template <class Body>
void for_each_activation(Body&& body) {
  using F = ActivationFunction;
  body(std::integral_constant<F, F::tanh>{});
  body(std::integral_constant<F, F::sigmoid>{});
  body(std::integral_constant<F, F::relu>{});
  body(std::integral_constant<F, F::elu>{});
  body(std::integral_constant<F, F::gelu>{});
  body(std::integral_constant<F, F::exact_gelu>{});
  body(std::integral_constant<F, F::silu>{});
  body(std::integral_constant<F, F::softmax>{});
}
/// Calls body(constant) for this one, so that a loop within does not ask again.
template <class Body>
void with_activation(ActivationFunction function, Body&& body) {
  for_each_activation([&](auto constant) {
    if (constant == function) body(constant);
  });
}

/// Whether y says the slope. GELU and SiLU have the same y at two x.
template <ActivationFunction function>
inline constexpr bool kSlopeIsOfOutput = function != ActivationFunction::gelu&& function !=
                                         ActivationFunction::exact_gelu&& function != ActivationFunction::silu;

template <ActivationFunction function, class P>
MINRNN_INLINE P activation(const P& x) {
  using F = ActivationFunction;
  if constexpr (function == F::tanh) return tanh(x);
  if constexpr (function == F::sigmoid) return sigmoid(x);
  if constexpr (function == F::relu) return relu(x);
  if constexpr (function == F::elu) return elu(x);
  if constexpr (function == F::gelu) return gelu(x).value;
  if constexpr (function == F::exact_gelu) return exact_gelu(x).value;
  if constexpr (function == F::silu) return silu(x).value;
}

/// dL/dx from dy and from y, or x where y does not say the slope.
template <ActivationFunction function, class P>
MINRNN_INLINE P activation_adjoint(const P& kept, const P& dy) {
  using F = ActivationFunction;
  if constexpr (function == F::tanh) return dy * tanh_slope(kept);
  if constexpr (function == F::sigmoid) return sigmoid_adjoint(kept, dy);
  if constexpr (function == F::relu) return relu_adjoint(kept, dy);
  if constexpr (function == F::elu) return dy * elu_slope(kept);
  if constexpr (function == F::gelu) return dy * gelu(kept).derivative;
  if constexpr (function == F::exact_gelu) return dy * exact_gelu(kept).derivative;
  if constexpr (function == F::silu) return dy * silu(kept).derivative;
}

/// y of one frame.
template <ActivationFunction function, class S>
MINRNN_INLINE void activate(Row<const S> x, Index features, Row<S> y) {
  if constexpr (function == ActivationFunction::softmax)
    softmax(x, features, y);
  else
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA { y[i] = activation<function>(x[i]); });
}

/// dx of one frame from dy and what `activation_adjoint` wants.
template <ActivationFunction function, class S>
MINRNN_INLINE void activate_adjoint(Row<const S> kept, Row<const S> dy, Index features, Row<S> dx) {
  if constexpr (function == ActivationFunction::softmax)
    softmax_adjoint(kept, dy, features, dx);
  else
    for_lanes<S>(features, [&](auto i) MINRNN_INLINE_LAMBDA { dx[i] = activation_adjoint<function>(kept[i], dy[i]); });
}

}  // namespace detail
}  // namespace minrnn
