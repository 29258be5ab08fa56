// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "minrnn/core/context.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/partial_sums.hpp"
#include "minrnn/layers/frame_wise.hpp"

namespace minrnn {

/// Root mean square normalisation of every frame.
///
/// Equations   y_t = gain * x_t r_t,  r_t = 1 / sqrt(mean(x_t^2) + 1e-6)
/// Shapes      x, y (F, T, B); gain (F)
/// Gradient    with u = gain * dy_t and n = x_t r_t:  dx_t = r_t (u - n mean(u * n));  dgain = sum dy_t * n
/// Parameters  gain, 1 at first
/// Memory      kept for backward: 1 scalar per step
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      Zhang and Sennrich 2019, "Root mean square layer normalization"
template <class S>
class RmsNorm : public FrameWise<RmsNorm<S>, S> {
 public:
  class Cache : public CacheBase {
    friend RmsNorm;
    SequenceView<const S> x_;           // (F, T, B)
    Sequence<S> r_;                     // (1, T, B)
    Output<S> y_, dx_;                  // (F, T, B)
    detail::PartialSums<S> gradients_;  // per tile: dgain
  };

  explicit RmsNorm(Index features) {
    detail::check_size("RmsNorm", "features", features);
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
    const detail::Frames frames(kMostTiles, x);
    parallel_for(context, frames.tiles(), [&](Index tile, Index) {
      frames.for_each(tile, [&](Index n) {
        const S* in = frames.column(x, n);
        S* out = frames.column(y, n);
        const S scale = reciprocal_root(in);
        detail::for_lanes<S>(features, [&](auto lanes) {
          lanes.store(out, lanes.load(gain_.value.data()) * (lanes.load(in) * Packet<S>(scale)));
        });
        *frames.column(r, n) = scale;
      });
    });
    return y;
  }

  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("RmsNorm", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_, r = cache.r_.view();
    const Index features = input_size();
    const SequenceView<S> dx = cache.dx_.resize(features, x.time(), x.batch(), dy, x);
    const detail::Frames frames(kMostTiles, x);
    cache.gradients_.reset(features, frames.tiles(), context);
    parallel_for(context, frames.tiles(), [&](Index tile, Index) {
      S* dgain = cache.gradients_.tile(tile);
      frames.for_each(tile, [&](Index n) {
        const S *in = frames.column(x, n), *dout = frames.column(dy, n);
        S* din = frames.column(dx, n);
        const S scale = *frames.column(r, n);
        Packet<S> dot(S(0));
        detail::for_lanes<S>(features, [&](auto lanes) {
          const Packet<S> v = lanes.load(in), d = lanes.load(dout);
          const Packet<S> normalised = v * Packet<S>(scale);
          dot = fma(lanes.load(gain_.value.data()) * d, normalised, dot);
          lanes.store(dgain, fma(d, normalised, lanes.load(dgain)));
        });
        const Packet<S> along(-dot.sum() / static_cast<S>(features));
        detail::for_lanes<S>(features, [&](auto lanes) {
          const Packet<S> u = lanes.load(gain_.value.data()) * lanes.load(dout);
          lanes.store(din, fma(lanes.load(in) * Packet<S>(scale), along, u) * Packet<S>(scale));
        });
      });
    });
    cache.gradients_.add_to(0, gain_.grad, context);
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "gain", self.gain_);
  }

 private:
  static constexpr Index kMostTiles = 32;
  static constexpr S kEpsilon = S(1e-6);

  /// r of one frame.
  S reciprocal_root(const S* x) const {
    const S features = static_cast<S>(input_size());
    Packet<S> squares(S(0));
    detail::for_lanes<S>(input_size(), [&](auto lanes) {
      const Packet<S> v = lanes.load(x);
      squares = fma(v, v, squares);
    });
    const S sum = squares.sum();
    if (sum <= (std::numeric_limits<S>::max)()) [[likely]]
      return 1 / std::sqrt(sum / features + kEpsilon);
    // Squares beyond the range of S: those of numbers that are smaller by a power of two, beside which epsilon is
    // nothing.
    constexpr S kSmaller = std::is_same_v<S, float> ? S(0x1p-70) : S(0x1p-540);
    squares = S(0);
    detail::for_lanes<S>(input_size(), [&](auto lanes) {
      const Packet<S> v = lanes.load(x) * kSmaller;
      squares = fma(v, v, squares);
    });
    return kSmaller / std::sqrt(squares.sum() / features);
  }

  Parameter<S> gain_;  // (F)
};

}  // namespace minrnn
