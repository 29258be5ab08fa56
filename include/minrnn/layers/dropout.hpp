// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/layers/frame_wise.hpp"

namespace minrnn {

/// Sets each element to zero with probability `rate` in forward, and scales the others so that the mean stays.
///
/// Equations   y = x m / (1 - rate); m is 0 or 1, a pure function of the stream, of context.draw and of the index
///             f + F (t + T b) of the element, so it is the same on any number of threads and need not be kept
/// Shapes      x, y (F, T, B)
/// Gradient    dx = dy m / (1 - rate)
/// Memory      kept for backward: nothing. The rate is rounded to a multiple of 2^-16
/// infer, step the identity, as forward and backward at rate 0: the result is the argument itself
/// Throws      std::invalid_argument for a size below 1, a rate outside [0, 1), a wrong shape, and in forward for a
///             context without a draw, unless the rate is 0
/// Source      Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting"
template <class S>
class Dropout : public FrameWise<Dropout<S>, S> {
 public:
  class Cache : public CacheBase {
    friend Dropout;
    std::int64_t draw_ = Context::kNoDraw;
    Output<S> y_, dx_;  // (F, T, B)
  };

  Dropout(Index features, double rate, RandomStream stream) : features_(features), seed_(Random(stream)()) {
    detail::check_size("Dropout", "features", features);
    detail::check_that(detail::is_finite(rate) && rate >= 0 && rate < 1, "Dropout", "rate", "a number in [0, 1)", rate);
    threshold_ = static_cast<std::uint32_t>(std::lround(rate * kWhole));
    threshold_ = std::min<std::uint32_t>(threshold_, kWhole - 1);
    scale_ = static_cast<S>(kWhole / static_cast<double>(kWhole - threshold_));
  }

  Index input_size() const { return features_; }
  Index output_size() const { return features_; }
  CacheBase::Sizes cache_sizes() const { return {features_, features_}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    detail::check_input("Dropout", x, features_);
    detail::check_that(threshold_ == 0 || context.draw >= 0, "Dropout", "context.draw",
                       "the number of the training step, which the mask is a function of",
                       context.draw == Context::kNoDraw ? detail::Said("none") : detail::Said(context.draw));
    cache.draw_ = context.draw;
    return mask(x, cache.draw_, cache.y_, context);
  }
  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("Dropout", cache_sizes(), dy);
    return mask(dy, cache.draw_, cache.dx_, context);
  }
  SequenceView<const S> evaluate(SequenceView<const S> x, Cache&, const Context&) const {
    detail::check_input("Dropout", x, features_);
    return x;
  }

  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}

 private:
  static constexpr std::uint32_t kWhole = 1 << 16;

  SequenceView<const S> mask(SequenceView<const S> x, std::int64_t draw, Output<S>& result,
                             const Context& context) const {
    if (threshold_ == 0) return x;
    const SequenceView<S> y = result.resize(features_, x.time(), x.batch(), x);
    const detail::Frames frames({16.0 * static_cast<double>(features_)}, x);
    const std::uint64_t key = mix_bits(seed_ ^ mix_bits(static_cast<std::uint64_t>(draw) + 1));
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      frames.for_each(tile, [&](Index n) {
        const S* in = frames.row(x, n).data;
        S* out = frames.row(y, n).data;
        // One hash serves four elements, sixteen bits each.
        for (Index f = 0; f < features_;) {
          const std::uint64_t index = static_cast<std::uint64_t>(n * features_ + f);
          std::uint64_t bits = mix_bits(key + (index / 4) * 0x9e3779b97f4a7c15u) >> (16 * (index % 4));
          for (auto lane = index % 4; lane < 4 && f < features_; ++lane, ++f, bits >>= 16)
            out[f] = (bits & (kWhole - 1)) < threshold_ ? S(0) : in[f] * scale_;
        }
      });
    });
    return y;
  }

  Index features_;
  std::uint64_t seed_;
  std::uint32_t threshold_;
  S scale_;
};

}  // namespace minrnn
