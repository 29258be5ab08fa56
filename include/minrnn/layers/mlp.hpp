// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/context.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/partial_sums.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

enum class MlpForm { gelu, gated };

struct MlpOptions {
  MlpForm form = MlpForm::gelu;
};

/// Two affine maps of every frame with a GELU between them, or its gated form.
///
/// Equations   gelu: y = W_out gelu(u) + b_out,  u = W_in x + b_in
///             gated: y = W_out (gelu(u) * v) + b_out,  (u, v) = W_in x + b_in
/// Shapes      x, y (F, T, B); u, v (D, T, B); w_in (D, F) or (2 D, F), b_in (D) or (2 D), w_out (F, D), b_out (F)
/// Gradient    da = W_out^T dy;  du = da * gelu'(u) [* v];  dv = da * gelu(u);  dx = W_in^T (du, dv)
/// Parameters  w_in, b_in, w_out, b_out; uniform in +-1 / sqrt(columns) at first, as torch.nn.Linear
/// Memory      kept for backward: u (and v), D or 2 D scalars per step
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      Hendrycks and Gimpel 2016; Shazeer 2020, "GLU variants improve Transformer"
template <class S>
class Mlp : public FrameWise<Mlp<S>, S> {
 public:
  class Cache : public CacheBase {
    friend Mlp;
    SequenceView<const S> x_;                 // (F, T, B)
    Sequence<S> pre_;                         // (D or 2 D, T, B) u, then v
    Output<S> y_, dx_;                        // (F, T, B)
    Sequence<S> block_, dpre_, packed_;       // scratch of each worker
    detail::PackedWeight<S> first_, second_;  // W_in and W_out, or their transposes
    detail::PartialSums<S> gradients_;        // per tile: dw_in, db_in, dw_out, db_out
  };

  Mlp(Index features, Index inner, Random& random, const MlpOptions& options = {})
      : gated_(options.form == MlpForm::gated) {
    detail::check_size("Mlp", "features", features);
    detail::check_size("Mlp", "inner", inner);
    const auto make = [&](Parameter<S>& w, Parameter<S>& b, Index rows, Index columns) {
      const double limit = 1 / std::sqrt(static_cast<double>(columns));
      w = Parameter<S>(rows, columns);
      b = Parameter<S>(rows);
      fill_symmetric(w.value, random, limit);
      fill_symmetric(b.value, random, limit);
    };
    make(w_in_, b_in_, gated_ ? 2 * inner : inner, features);
    make(w_out_, b_out_, features, inner);
  }

  Index input_size() const { return w_in_.value.cols(); }
  Index output_size() const { return input_size(); }
  Index inner_size() const { return w_out_.value.cols(); }
  CacheBase::Sizes cache_sizes() const { return {input_size(), output_size(), w_in_.value.rows(), inner_size()}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    return run(x, cache, context, true);
  }
  SequenceView<const S> evaluate(SequenceView<const S> x, Cache& cache, const Context& context) const {
    return run(x, cache, context, false);
  }

 private:
  SequenceView<const S> run(SequenceView<const S> x, Cache& cache, const Context& context, bool keep) const {
    detail::check_input("Mlp", x, input_size());
    cache.x_ = x;
    const Index features = input_size(), inner = inner_size(), rows = w_in_.value.rows(), block = block_steps();
    const SequenceView<S> y = cache.y_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> pre =
        keep ? cache.pre_.resize(rows, x.time(), x.batch()) : cache.dpre_.resize(rows, block, context.workers());
    const SequenceView<S> activated = cache.block_.resize(inner, block, context.workers());
    const detail::Frames frames(kMostTiles, x);
    const bool few = frames.count() < detail::kFewColumns;
    if (!few) {
      cache.first_.resize(rows, features);
      cache.first_.set_rows(0, w_in_.value);
      cache.second_.resize(features, inner);
      cache.second_.set_rows(0, w_out_.value);
    }
    parallel_for(context, frames.tiles(), [&](Index tile, Index worker) {
      S* a = activated.column(0, worker);
      frames.for_blocks(tile, block, [&](Index n, Index count) {
        S* u = keep ? frames.column(pre, n) : pre.column(0, worker);
        const S* x_n = frames.column(x, n);
        if (few)
          detail::multiply_unpacked(w_in_.value, x_n, frames.stride(x), count, b_in_.value.data(), u, rows);
        else
          cache.first_.multiply(x_n, frames.stride(x), count, b_in_.value.data(), u, rows);
        for (Index i = 0; i < count; ++i) {
          const S* u_i = u + i * rows;
          detail::for_lanes<S>(inner, [&](auto lanes) {
            const Packet<S> value = gelu(lanes.load(u_i)).value;
            lanes.store(a + i * inner, gated_ ? value * lanes.load(u_i + inner) : value);
          });
        }
        if (few)
          detail::multiply_unpacked(w_out_.value, a, inner, count, b_out_.value.data(), frames.column(y, n), features);
        else
          cache.second_.multiply(a, inner, count, b_out_.value.data(), frames.column(y, n), features);
      });
    });
    return y;
  }

 public:
  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("Mlp", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_, pre = cache.pre_.view();
    const Index features = input_size(), inner = inner_size(), rows = w_in_.value.rows(), block = block_steps();
    const Index b_in = w_in_.size(), w_out = b_in + rows, b_out = w_out + w_out_.size(), size = b_out + features;
    const SequenceView<S> dx = cache.dx_.resize(features, x.time(), x.batch(), dy, x);
    const SequenceView<S> activated = cache.block_.resize(inner, block, context.workers());
    const SequenceView<S> dpre = cache.dpre_.resize(rows, block, context.workers());
    cache.first_.resize(features, rows);
    cache.first_.set_transposed(0, w_in_.value);
    cache.second_.resize(inner, features);
    cache.second_.set_transposed(0, w_out_.value);
    const SequenceView<S> packed = cache.packed_.resize(detail::kOuterScratch<S>, 1, context.workers());
    const detail::Frames frames(Tiling::most_for_sums(size), x, dy);
    cache.gradients_.reset(size, frames.tiles(), context);
    parallel_for(context, frames.tiles(), [&](Index tile, Index worker) {
      S* sums = cache.gradients_.tile(tile);
      S *a = activated.column(0, worker), *d = dpre.column(0, worker);
      frames.for_blocks(tile, block, [&](Index n, Index count) {
        const S* dy_n = frames.column(dy, n);
        cache.second_.multiply(dy_n, frames.stride(dy), count, nullptr, d, rows);  // da, in the place of du
        for (Index i = 0; i < count; ++i) {
          const S* u = frames.column(pre, n + i);
          detail::for_lanes<S>(inner, [&](auto lanes) {
            const auto [value, derivative] = gelu(lanes.load(u));
            S *d_i = d + i * rows, *a_i = a + i * inner;
            const Packet<S> da = lanes.load(d_i);
            if (gated_) {
              const Packet<S> v = lanes.load(u + inner);
              lanes.store(a_i, value * v);
              lanes.store(d_i, da * derivative * v);
              lanes.store(d_i + inner, da * value);
            } else {
              lanes.store(a_i, value);
              lanes.store(d_i, da * derivative);
            }
          });
        }
        detail::add_outer_product(dy_n, frames.stride(dy), a, inner, count, sums + w_out, features, inner,
                                  packed.column(0, worker));
        detail::add_columns(dy_n, frames.stride(dy), count, features, sums + b_out);
        detail::add_outer_product(d, rows, frames.column(x, n), frames.stride(x), count, sums, rows, features,
                                  packed.column(0, worker));
        detail::add_columns(d, rows, count, rows, sums + b_in);
        cache.first_.multiply(d, rows, count, nullptr, frames.column(dx, n), features);
      });
    });
    cache.gradients_.add_to(0, w_in_.grad, context);
    cache.gradients_.add_to(b_in, b_in_.grad, context);
    cache.gradients_.add_to(w_out, w_out_.grad, context);
    cache.gradients_.add_to(b_out, b_out_.grad, context);
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w_in", self.w_in_);
    visitor(scope / "b_in", self.b_in_);
    visitor(scope / "w_out", self.w_out_);
    visitor(scope / "b_out", self.b_out_);
  }

 private:
  static constexpr Index kMostTiles = 32;
  /// A block of u is about 256 KiB in float.
  Index block_steps() const { return std::clamp<Index>(65536 / w_in_.value.rows(), 48, 192); }

  bool gated_;
  Parameter<S> w_in_, b_in_;    // (D or 2 D, F), (D or 2 D)
  Parameter<S> w_out_, b_out_;  // (F, D), (F)
};

}  // namespace minrnn
