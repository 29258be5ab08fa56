// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/math/activation_function.hpp"

namespace minrnn {

/// An activation as a layer of its own: a function of each feature or, softmax, of the features of a frame.
///
///   Sequential net{Linear<float>(8, 32, random.stream(0)), Activation<float>(32, ActivationFunction::relu),
///                  Linear<float>(32, 1, random.stream(1))};
///
/// Equations   tanh, sigmoid: y = tanh(x), 1 / (1 + exp(-x))
///             relu: y = max(x, 0);  elu: y = x for x >= 0, exp(x) - 1 for x < 0
///             gelu, exact_gelu: y = x Phi(x), as math/activation.hpp and math/exact_gelu.hpp have it
///             silu: y = x sigmoid(x)
///             softmax: y_f = exp(x_f) / sum_g exp(x_g)
/// Shapes      x, y (F, T, B)
/// Gradient    tanh, sigmoid: dx = dy (1 - y^2), dy y (1 - y)
///             relu: dx = dy where y > 0, else 0;  elu: dx = dy for x >= 0, dy (1 + y) for x < 0
///             gelu, exact_gelu, silu: dx = dy f'(x)
///             softmax: dx_f = y_f (dy_f - sum_g y_g dy_g)
/// Parameters  none
/// Memory      kept for backward: nothing but y. Where y says the slope it is taken from there, which saves the
///             exponential; GELU and SiLU look at x again
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
template <class S>
class Activation : public FrameWise<Activation<S>, S> {
 public:
  class Cache : public CacheBase {
    friend Activation;
    SequenceView<const S> x_;  // (F, T, B)
    Output<S> y_, dx_;         // (F, T, B)
  };

  Activation(Index features, ActivationFunction function) : features_(features), function_(function) {
    detail::check_size("Activation", "features", features);
    detail::check_that(!name_of(function).empty(), "Activation", "function", "an ActivationFunction",
                       static_cast<Index>(function));
  }

  Index input_size() const { return features_; }
  Index output_size() const { return features_; }
  ActivationFunction function() const { return function_; }
  CacheBase::Sizes cache_sizes() const { return {features_, features_}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    detail::check_input("Activation", x, features_);
    cache.x_ = x;
    const SequenceView<S> y = cache.y_.resize(features_, x.time(), x.batch(), x);
    const detail::Frames frames({work()}, x);
    detail::with_activation(function_, [&](auto function) {
      parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
        frames.for_each(tile,
                        [&](Index n) { detail::activate<function, S>(frames.row(x, n), features_, frames.row(y, n)); });
      });
    });
    return y;
  }

  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) const {
    cache.check_backward("Activation", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_, y = std::as_const(cache.y_).view();
    const SequenceView<S> dx = cache.dx_.resize(features_, dy.time(), dy.batch(), dy, x);
    const detail::Frames frames({work()}, dy);
    detail::with_activation(function_, [&](auto function) {
      const SequenceView<const S> kept = detail::kSlopeIsOfOutput<function> ? y : x;
      parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
        frames.for_each(tile, [&](Index n) {
          detail::activate_adjoint<function, S>(frames.row(kept, n), frames.row(dy, n), features_, frames.row(dx, n));
        });
      });
    });
    return dx;
  }

  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}

 private:
  /// An exponential in each feature, as multiply-adds.
  double work() const { return 16.0 * static_cast<double>(features_); }

  Index features_;
  ActivationFunction function_;
};

}  // namespace minrnn
