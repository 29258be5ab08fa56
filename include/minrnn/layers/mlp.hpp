// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/gradient_panels.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/tiles.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/exact_gelu.hpp"

namespace minrnn {

enum class MlpForm { gelu, gated };

struct MlpOptions {
  MlpForm form = MlpForm::gelu;
  GeluForm gelu = GeluForm::tanh;
};

/// Two affine maps of every frame with a GELU between them, or its gated form.
///
/// Equations   gelu: y = W_out gelu(u) + b_out,  u = W_in x + b_in
///             gated: y = W_out (gelu(u) * v) + b_out,  (u, v) = W_in x + b_in
///             gelu in its tanh form, of math/activation.hpp, or exact, of math/exact_gelu.hpp
/// Shapes      x, y (F, T, B); u, v (D, T, B); w_in (D, F) or (2 D, F), b_in (D) or (2 D), w_out (F, D), b_out (F)
/// Gradient    da = W_out^T dy;  du = da * gelu'(u) [* v];  dv = da * gelu(u);  dx = W_in^T (du, dv)
/// Parameters  w_in, b_in, w_out, b_out; uniform in +-1 / sqrt(columns) at first, as torch.nn.Linear
/// Memory      kept for backward: u (and v), D or 2 D scalars per step. Where the weights are large (their gradients go
///             in panels), backward also has du (and dv) and the activation of all steps, 2 D or 3 D scalars
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
    Sequence<S> block_, dpre_;                // a and du of a block of each worker, or of all frames
    Sequence<S> packed_;                      // scratch of each worker
    detail::PackedWeight<S> first_, second_;  // W_in and W_out, or their transposes
    Sequence<S> sums_;                        // of each tile: dw_in, db_in, dw_out, db_out
  };

  Mlp(Index features, Index inner, RandomStream stream, const MlpOptions& options = {})
      : gated_(options.form == MlpForm::gated), exact_(options.gelu == GeluForm::exact) {
    Random random(stream);
    detail::check_size("Mlp", "features", features);
    detail::check_size("Mlp", "inner", inner);
    const auto make = [&](Parameter<S>& w, Parameter<S>& b, Index rows, Index columns) {
      const double limit = 1 / std::sqrt(static_cast<double>(columns));
      w = Parameter<S>(rows, columns, ReadBy::products);
      b = Parameter<S>(rows);
      fill_symmetric(w.value, random, limit);
      fill_symmetric(b.value, random, limit);
    };
    make(w_in_, b_in_, gated_ ? 2 * inner : inner, features);
    make(w_out_, b_out_, features, inner);
  }

  Index input_size() const { return w_in_.cols(); }
  Index output_size() const { return input_size(); }
  Index inner_size() const { return w_out_.cols(); }
  GeluForm gelu_form() const { return exact_ ? GeluForm::exact : GeluForm::tanh; }
  const Matrix<S>& weight_in() const { return w_in_.value; }
  const Matrix<S>& bias_in() const { return b_in_.value; }
  const Matrix<S>& weight_out() const { return w_out_.value; }
  const Matrix<S>& bias_out() const { return b_out_.value; }
  CacheBase::Sizes cache_sizes() const { return {input_size(), output_size(), w_in_.rows(), inner_size()}; }

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
    const Index features = input_size(), inner = inner_size(), rows = w_in_.rows(), block = block_steps();
    const SequenceView<S> y = cache.y_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> pre =
        keep ? cache.pre_.resize(rows, x.time(), x.batch()) : cache.dpre_.resize(rows, block, context.workers());
    const SequenceView<S> activated = cache.block_.resize(inner, block, context.workers());
    const detail::Frames frames({static_cast<double>(w_in_.size() + w_out_.size())}, x);
    cache.first_.prepare(w_in_, frames.count());
    cache.second_.prepare(w_out_, frames.count());
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index worker) {
      for (auto n = frames.blocks(tile, block); n.next();) {
        const Columns<S> u = keep ? frames.columns(pre, n) : pre.columns(0, n.count, worker);
        const Columns<S> a = activated.columns(0, n.count, worker);
        cache.first_.multiply(frames.columns(x, n), b_in_.value, u);
        for (Index j = 0; j < n.count; ++j) activate(u[j], a[j]);
        cache.second_.multiply(a, b_out_.value, frames.columns(y, n));
      }
    });
    return y;
  }

 public:
  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("Mlp", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_, pre = cache.pre_.view();
    const Index inner = inner_size(), rows = w_in_.rows(), block = block_steps();
    const bool in_panels = this->in_panels();  // then a and du of all frames are kept
    const Index time = in_panels ? x.time() : block, batch = in_panels ? x.batch() : context.workers();
    const SequenceView<S> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const SequenceView<S> activated = cache.block_.resize(inner, time, batch);
    const SequenceView<S> dpre = cache.dpre_.resize(rows, time, batch);
    const SequenceView<S> packed = cache.packed_.resize(detail::kOuterScratch<S>, 1, context.workers());
    cache.first_.prepare_transposed(w_in_.value);
    cache.second_.prepare_transposed(w_out_.value);
    const detail::Frames frames(adjoint_cost(), x, dy);
    const GradientSums<S, 4> sums(cache.sums_, frames.tiles(), context, gradients_of_tiles());
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index worker) {
      const auto [dw_in, db_in, dw_out, db_out] = sums.start(tile);
      for (auto n = frames.blocks(tile, block); n.next();) {
        const Columns<const S> dy_n = frames.columns(dy, n);
        const Columns<S> a = in_panels ? frames.columns(activated, n) : activated.columns(0, n.count, worker);
        const Columns<S> du = in_panels ? frames.columns(dpre, n) : dpre.columns(0, n.count, worker);
        cache.second_.multiply(dy_n, {}, du.features(0, inner));  // da, in the place of du
        for (Index j = 0; j < n.count; ++j) to_activation(frames.row(pre, n.n + j), du[j], a[j]);
        if (!in_panels) detail::add_outer_product(dy_n, a, dw_out, packed.column(0, worker));
        detail::add_columns(dy_n, db_out[0]);
        if (!in_panels) detail::add_outer_product(du, frames.columns(x, n), dw_in, packed.column(0, worker));
        detail::add_columns(du, db_in[0]);
        cache.first_.multiply(du, {}, frames.columns(dx, n));
      }
    });
    sums.add();
    if (in_panels) {
      detail::add_products_in_panels<S>(context, dy, activated, std::array{&w_out_.grad}, cache.sums_, cache.packed_);
      detail::add_products_in_panels<S>(context, dpre, x, std::array{&w_in_.grad}, cache.sums_, cache.packed_);
    }
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
  /// a = gelu(u) [* v].
  void activate(Row<const S> u, Row<S> a) const {
    const Row<const S> v = u.from(inner_size());
    with_gelu([&](auto gelu_of) MINRNN_INLINE_LAMBDA {
      for_lanes<S>(inner_size(), [&](auto i) {
        const Packet<S> value = gelu_of(u[i]).value;
        a[i] = gated_ ? value * v[i] : value;
      });
    });
  }
  /// du holds da, and becomes du (and dv behind it): du = da * gelu'(u) [* v], dv = da * gelu(u). Writes a, too.
  void to_activation(Row<const S> u, Row<S> du, Row<S> a) const {
    const Row<const S> v = u.from(inner_size());
    const Row<S> dv = du.from(inner_size());
    with_gelu([&](auto gelu_of) MINRNN_INLINE_LAMBDA {
      for_lanes<S>(inner_size(), [&](auto i) {
        const auto [value, slope] = gelu_of(u[i]);
        const Packet<S> da = du[i];
        a[i] = gated_ ? value * v[i] : value;
        du[i] = gated_ ? da * slope * v[i] : da * slope;
        if (gated_) dv[i] = da * value;
      });
    });
  }
  /// Calls body with the function of a packet that the options chose, so that a loop does not ask again.
  template <class Body>
  MINRNN_INLINE void with_gelu(Body&& body) const {
    if (exact_)
      body([](Packet<S> x) MINRNN_INLINE_LAMBDA { return exact_gelu(x); });
    else
      body([](Packet<S> x) MINRNN_INLINE_LAMBDA { return gelu(x); });
  }

  bool in_panels() const { return detail::GradientPanels::pays(w_in_.size() + w_out_.size(), false); }
  /// Of a frame. A tile has sums of the weights unless they go in panels.
  FrameCost adjoint_cost() const {
    const Index weights = w_in_.size() + w_out_.size(), biases = b_in_.size() + b_out_.size();
    const double work = static_cast<double>(weights);
    return in_panels() ? FrameCost{work, biases} : FrameCost{2 * work, weights + biases};
  }
  std::array<Matrix<S>*, 4> gradients_of_tiles() {
    if (in_panels()) return {nullptr, &b_in_.grad, nullptr, &b_out_.grad};
    return {&w_in_.grad, &b_in_.grad, &w_out_.grad, &b_out_.grad};
  }

  /// A block of u is about 256 KiB in float.
  Index block_steps() const { return std::clamp<Index>(65536 / w_in_.rows(), 48, 192); }

  bool gated_, exact_;
  Parameter<S> w_in_, b_in_;    // (D or 2 D, F), (D or 2 D)
  Parameter<S> w_out_, b_out_;  // (F, D), (F)
};

}  // namespace minrnn
