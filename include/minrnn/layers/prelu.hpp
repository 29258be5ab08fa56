// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

/// The parametric rectifier: below zero a slope of each feature's own, which is learnt.
///
/// Equations   y = x for x > 0, alpha * x for x <= 0
/// Shapes      x, y (F, T, B); alpha (F)
/// Gradient    dx = dy for x > 0, alpha * dy for x <= 0;  dalpha = sum dy_t * x_t over x_t <= 0
/// Parameters  alpha, 0.25 at first, as torch.nn.PReLU(F)
/// Memory      kept for backward: nothing
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers", arXiv:1502.01852
template <class S>
class Prelu : public FrameWise<Prelu<S>, S> {
 public:
  class Cache : public CacheBase {
    friend Prelu;
    SequenceView<const S> x_;  // (F, T, B)
    Output<S> y_, dx_;         // (F, T, B)
    Sequence<S> sums_;         // of each tile: dalpha
  };

  explicit Prelu(Index features) {
    detail::check_size("Prelu", "features", features);
    alpha_ = Parameter<S>(features);
    alpha_.value.setConstant(S(0.25));
  }

  Index input_size() const { return alpha_.size(); }
  Index output_size() const { return alpha_.size(); }
  CacheBase::Sizes cache_sizes() const { return {input_size(), output_size()}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    detail::check_input("Prelu", x, input_size());
    cache.x_ = x;
    const SequenceView<S> y = cache.y_.resize(input_size(), x.time(), x.batch(), x);
    const detail::Frames frames({work()}, x);
    const Row<const S> alpha = alpha_.value;
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      frames.for_each(tile, [&](Index n) {
        const Row<const S> x_n = frames.row(x, n);
        const Row<S> y_n = frames.row(y, n);
        for_lanes<S>(input_size(), [&](auto i) { y_n[i] = prelu(x_n[i], alpha[i]); });
      });
    });
    return y;
  }

  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("Prelu", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_;
    const SequenceView<S> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const detail::Frames frames({2 * work(), input_size()}, x);
    const GradientSums sums(cache.sums_, frames.tiles(), context, alpha_.grad);
    const Row<const S> alpha = alpha_.value;
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      const Row<S> dalpha = sums.start(tile)[0][0];
      frames.for_each(tile, [&](Index n) {
        const Row<const S> x_n = frames.row(x, n), dy_n = frames.row(dy, n);
        const Row<S> dx_n = frames.row(dx, n);
        for_lanes<S>(input_size(), [&](auto i) {
          const auto slopes = prelu_slopes(x_n[i], alpha[i]);
          dx_n[i] = dy_n[i] * slopes.by_x;
          dalpha[i] = fma(dy_n[i], slopes.by_alpha, dalpha[i]);
        });
      });
    });
    sums.add();
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "alpha", self.alpha_);
  }

  const Matrix<S>& alpha() const { return alpha_.value; }

 private:
  double work() const { return 2 * static_cast<double>(input_size()); }

  Parameter<S> alpha_;  // (F)
};

}  // namespace minrnn
