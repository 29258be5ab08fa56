// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

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

struct LayerNormOptions {
  double epsilon = 1e-5;  // added to the variance
  bool bias = true;
};

/// Normalisation of every frame to mean 0 and variance 1.
///
/// Equations   y_t = gain * n_t + bias,  n_t = (x_t - mean(x_t)) r_t,  r_t = 1 / sqrt(variance(x_t) + epsilon),
///             variance(x) = mean((x - mean(x))^2)
/// Shapes      x, y (F, T, B); gain, bias (F)
/// Gradient    with u = gain * dy_t:  dx_t = r_t (u - mean(u) - n_t mean(u * n_t));  dgain = sum dy_t * n_t;
///             dbias = sum dy_t
/// Parameters  gain, 1 at first; bias, 0 at first (none with bias = false)
/// Memory      kept for backward: n, F scalars per step, and r, 1
/// Throws      std::invalid_argument for a size below 1, a wrong shape, an epsilon that is not above 0 and at most 1
/// Source      Ba, Kiros and Hinton 2016, "Layer normalization", arXiv:1607.06450; torch.nn.LayerNorm
template <class S>
class LayerNorm : public FrameWise<LayerNorm<S>, S> {
 public:
  class Cache : public CacheBase {
    friend LayerNorm;
    SequenceView<const S> x_;  // (F, T, B)
    Sequence<S> n_, r_;        // (F, T, B), (1, T, B)
    Output<S> y_, dx_;         // (F, T, B)
    Sequence<S> sums_;         // of each tile: dgain, dbias
  };

  explicit LayerNorm(Index features, const LayerNormOptions& options = {}) : epsilon_(static_cast<S>(options.epsilon)) {
    detail::check_size("LayerNorm", "features", features);
    detail::check_that(detail::is_finite(epsilon_) && epsilon_ > 0 && epsilon_ <= 1, "LayerNorm", "epsilon",
                       "a number above 0, at most 1", options.epsilon);
    gain_ = Parameter<S>(features);
    gain_.value.setOnes();
    if (options.bias) bias_ = Parameter<S>(features);
  }

  Index input_size() const { return gain_.size(); }
  Index output_size() const { return gain_.size(); }
  CacheBase::Sizes cache_sizes() const { return {input_size(), output_size()}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    detail::check_input("LayerNorm", x, input_size());
    cache.x_ = x;
    const Index features = input_size();
    const SequenceView<S> y = cache.y_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> n = cache.n_.resize(features, x.time(), x.batch());
    const SequenceView<S> r = cache.r_.resize(1, x.time(), x.batch());
    const detail::Frames frames({16.0 * static_cast<double>(features)}, x);
    const Row<const S> gain = gain_.value, bias = bias_.value;
    const bool has_bias = bias_.size() > 0;
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      frames.for_each(tile, [&](Index frame) {
        *frames.row(r, frame).data = normalise(frames.row(x, frame), frames.row(n, frame));
        const Row<const S> n_t = frames.row(n, frame);
        const Row<S> y_t = frames.row(y, frame);
        for_lanes<S>(features, [&](auto i) {
          const Packet<S> scaled = gain[i] * n_t[i];
          y_t[i] = has_bias ? scaled + bias[i] : scaled;
        });
      });
    });
    return y;
  }

  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("LayerNorm", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_, n = cache.n_.view(), r = cache.r_.view();
    const Index features = input_size();
    const SequenceView<S> dx = cache.dx_.resize(features, x.time(), x.batch(), dy, x);
    const detail::Frames frames({24.0 * static_cast<double>(features), features + bias_.size()}, x);
    const GradientSums sums(cache.sums_, frames.tiles(), context, gain_.grad, bias_.grad);
    const Row<const S> gain = gain_.value;
    const bool has_bias = bias_.size() > 0;
    const S share = 1 / static_cast<S>(features);
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      const auto [dgain_sum, dbias_sum] = sums.start(tile);
      const Row<S> dgain = dgain_sum[0], dbias = has_bias ? Row<S>(dbias_sum[0]) : dgain;
      frames.for_each(tile, [&](Index frame) {
        const Row<const S> n_t = frames.row(n, frame), dy_t = frames.row(dy, frame);
        const Row<S> dx_t = frames.row(dx, frame);
        Packet<S> sum(S(0)), dot(S(0));  // of u = gain * dy, alone and times n
        for_lanes<S>(features, [&](auto i) {
          const Packet<S> u = gain[i] * dy_t[i];
          sum = sum + u * share;
          dot = fma(u * share, n_t[i], dot);
          dgain[i] = fma(dy_t[i], n_t[i], dgain[i]);
          if (has_bias) dbias[i] += dy_t[i];
        });
        const Packet<S> mean(sum.sum()), along(-dot.sum());
        const S r_t = *frames.row(r, frame).data;
        for_lanes<S>(features, [&](auto i) { dx_t[i] = (fma(n_t[i], along, gain[i] * dy_t[i]) - mean) * r_t; });
      });
    });
    sums.add();
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "gain", self.gain_);
    if (self.bias_.size() > 0) visitor(scope / "bias", self.bias_);
  }

 private:
  /// n of one frame; gives r.
  S normalise(Row<const S> x, Row<S> n) const {
    const Index features = input_size();
    const S share = 1 / static_cast<S>(features);
    const Row<const S> stored = n;
    const auto centre = [&](S scale) {  // n = scale (x - mean(x)); gives its variance
      Packet<S> sum(S(0)), squares(S(0));
      for_lanes<S>(features, [&](auto i) { sum = fma(x[i] * scale, Packet<S>(share), sum); });
      const S mean = sum.sum();
      for_lanes<S>(features, [&](auto i) { n[i] = x[i] * scale - mean; });
      // From what was stored: in lanes beyond the frame the difference is not 0.
      for_lanes<S>(features, [&](auto i) { squares = fma(stored[i] * share, stored[i], squares); });
      return squares.sum();
    };
    S scale = 1, variance = centre(scale), r = 1 / std::sqrt(variance + epsilon_);
    if (!detail::is_finite(variance)) [[unlikely]] {
      // Beyond the range of S: the frame smaller by a power of two, beside which epsilon is nothing.
      scale = detail::kForSquares<S>;
      variance = centre(scale);
      r = 1 / std::sqrt(variance);
    }
    for_lanes<S>(features, [&](auto i) { n[i] = stored[i] * r; });
    return r * scale;
  }

  S epsilon_;
  Parameter<S> gain_;  // (F)
  Parameter<S> bias_;  // (F), or empty
};

}  // namespace minrnn
