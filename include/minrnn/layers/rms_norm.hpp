// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
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
#include "minrnn/math/root_mean_square.hpp"

namespace minrnn {

struct RmsNormOptions {
  double epsilon = 1e-6;  // added to the mean of the squares
};

/// Root mean square normalisation of every frame.
///
/// Equations   y_t = gain * x_t r_t,  r_t = 1 / sqrt(mean(x_t^2) + epsilon)
/// Shapes      x, y (F, T, B); gain (F)
/// Gradient    with u = gain * dy_t and n = x_t r_t:  dx_t = r_t (u - n mean(u * n));  dgain = sum dy_t * n
/// Parameters  gain, 1 at first
/// Memory      kept for backward: 1 scalar per step
/// Throws      std::invalid_argument for a size below 1, a wrong shape, an epsilon that is not above 0 and at most 1
/// Source      Zhang and Sennrich 2019, "Root mean square layer normalization"
template <class S>
class RmsNorm : public FrameWise<RmsNorm<S>, S> {
 public:
  class Cache : public CacheBase {
    friend RmsNorm;
    SequenceView<const S> x_;  // (F, T, B)
    Sequence<S> r_;            // (1, T, B)
    Output<S> y_, dx_;         // (F, T, B)
    Sequence<S> sums_;         // of each tile: dgain
  };

  explicit RmsNorm(Index features, const RmsNormOptions& options = {}) : epsilon_(static_cast<S>(options.epsilon)) {
    detail::check_size("RmsNorm", "features", features);
    detail::check_that(detail::is_finite(epsilon_) && epsilon_ > 0 && epsilon_ <= 1, "RmsNorm", "epsilon",
                       "a number above 0, at most 1", options.epsilon);
    gain_ = Parameter<S>(features);
    gain_.value.setOnes();
  }

  Index input_size() const { return gain_.size(); }
  Index output_size() const { return gain_.size(); }
  CacheBase::Sizes cache_sizes() const { return {input_size(), output_size()}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    detail::check_input("RmsNorm", x, input_size());
    cache.x_ = x;
    const Index features = input_size();
    const SequenceView<S> y = cache.y_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> r = cache.r_.resize(1, x.time(), x.batch());
    const detail::Frames frames({8.0 * static_cast<double>(features)}, x);
    const Row<const S> gain = gain_.value;
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      frames.for_each(tile, [&](Index n) {
        const Row<const S> x_n = frames.row(x, n);
        const Row<S> y_n = frames.row(y, n);
        const S r_n = *frames.row(r, n).data = detail::reciprocal_root_mean_square(x_n, features, epsilon_);
        for_lanes<S>(features, [&](auto i) { y_n[i] = gain[i] * (x_n[i] * r_n); });
      });
    });
    return y;
  }

  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("RmsNorm", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_, r = cache.r_.view();
    const Index features = input_size();
    const SequenceView<S> dx = cache.dx_.resize(features, x.time(), x.batch(), dy, x);
    const detail::Frames frames({16.0 * static_cast<double>(features), features}, x);
    const GradientSums sums(cache.sums_, frames.tiles(), context, gain_.grad);
    const Row<const S> gain = gain_.value;
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      const Row<S> dgain = sums.start(tile)[0][0];
      frames.for_each(tile, [&](Index n) {
        const Row<const S> x_n = frames.row(x, n), dy_n = frames.row(dy, n);
        const Row<S> dx_n = frames.row(dx, n);
        const S r_n = *frames.row(r, n).data;
        Packet<S> dot(S(0));  // u . n with u = gain * dy
        for_lanes<S>(features, [&](auto i) {
          const Packet<S> normalised = x_n[i] * r_n;
          dot = fma(gain[i] * dy_n[i], normalised, dot);
          dgain[i] = fma(dy_n[i], normalised, dgain[i]);
        });
        const Packet<S> along(-dot.sum() / static_cast<S>(features));
        for_lanes<S>(features, [&](auto i) { dx_n[i] = fma(x_n[i] * r_n, along, gain[i] * dy_n[i]) * r_n; });
      });
    });
    sums.add();
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "gain", self.gain_);
  }

  const Matrix<S>& gain() const { return gain_.value; }
  S epsilon() const { return epsilon_; }

 private:
  S epsilon_;
  Parameter<S> gain_;  // (F)
};

}  // namespace minrnn
