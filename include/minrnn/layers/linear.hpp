// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

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
#include "minrnn/kernels/product.hpp"
#include "minrnn/layers/frame_wise.hpp"

namespace minrnn {

struct LinearOptions {
  bool bias = true;
};

/// An affine map of every frame.
///
/// Equations   y_t = W x_t + b
/// Shapes      x (F, T, B), y (H, T, B); W (H, F), b (H)
/// Gradient    dx_t = W^T dy_t;  dW = sum dy_t x_t^T;  db = sum dy_t
/// Parameters  w, b (no b with bias = false); uniform in +-1 / sqrt(F) at first, as torch.nn.Linear
/// Memory      kept for backward: nothing
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
template <class S>
class Linear : public FrameWise<Linear<S>, S> {
 public:
  class Cache : public CacheBase {
    friend Linear;
    SequenceView<const S> x_;         // (F, T, B)
    Output<S> y_, dx_;                // (H, T, B), (F, T, B)
    detail::PackedWeight<S> packed_;  // W, or W^T in backward
    Sequence<S> scratch_;             // of each worker
    Sequence<S> sums_;                // of each tile: dW, db
  };

  Linear(Index inputs, Index outputs, RandomStream stream, const LinearOptions& options = {}) {
    Random random(stream);
    detail::check_size("Linear", "inputs", inputs);
    detail::check_size("Linear", "outputs", outputs);
    const double limit = 1 / std::sqrt(static_cast<double>(inputs));
    w_ = Parameter<S>(outputs, inputs, ReadBy::products);
    fill_symmetric(w_.value, random, limit);
    if (options.bias) {
      b_ = Parameter<S>(outputs);
      fill_symmetric(b_.value, random, limit);
    }
  }

  /// With these weights (H, F), and this bias (H) or none.
  explicit Linear(const Matrix<S>& weight, const Matrix<S>& bias = {}) {
    detail::check_size("Linear", "inputs", weight.cols());
    detail::check_size("Linear", "outputs", weight.rows());
    w_ = Parameter<S>(weight.rows(), weight.cols(), ReadBy::products);
    w_.value = weight;
    if (bias.size() == 0) return;
    detail::check_matrix("Linear", "bias", bias, weight.rows(), 1);
    b_ = Parameter<S>(weight.rows());
    b_.value = bias;
  }

  Index input_size() const { return w_.cols(); }
  Index output_size() const { return w_.rows(); }
  CacheBase::Sizes cache_sizes() const { return {input_size(), output_size()}; }

  SequenceView<const S> apply(SequenceView<const S> x, Cache& cache, const Context& context) const {
    detail::check_input("Linear", x, input_size());
    cache.x_ = x;
    const SequenceView<S> y = cache.y_.resize(output_size(), x.time(), x.batch(), x);
    const detail::Frames frames({static_cast<double>(w_.size())}, x);
    cache.packed_.prepare(w_, frames.count());
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      for (auto block = frames.blocks(tile, kBlock); block.next();)
        cache.packed_.multiply(frames.columns(x, block), b_.value, frames.columns(y, block));
    });
    return y;
  }

  SequenceView<const S> adjoint(SequenceView<const S> dy, Cache& cache, const Context& context) {
    cache.check_backward("Linear", cache_sizes(), dy);
    const SequenceView<const S> x = cache.x_;
    const SequenceView<S> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const SequenceView<S> scratch = cache.scratch_.resize(detail::kOuterScratch<S>, 1, context.workers());
    const bool in_panels = detail::GradientPanels::pays(w_.size(), true);
    const double work = static_cast<double>(w_.size());
    const detail::Frames frames({in_panels ? work : 2 * work, b_.size() + (in_panels ? 0 : w_.size())}, x, dy);
    const GradientSums<S, 2> sums(cache.sums_, frames.tiles(), context, {in_panels ? nullptr : &w_.grad, &b_.grad});
    cache.packed_.prepare_transposed(w_.value);
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index worker) {
      const auto [dw, db] = sums.start(tile);
      for (auto block = frames.blocks(tile, kBlock); block.next();) {
        const Columns<const S> dy_n = frames.columns(dy, block);
        cache.packed_.multiply(dy_n, {}, frames.columns(dx, block));  // dx = W^T dy
        if (!in_panels)
          detail::add_outer_product(dy_n, frames.columns(x, block), dw, scratch.column(0, worker));  // dW += dy x^T
        if (b_.size() > 0) detail::add_columns(dy_n, db[0]);                                         // db += dy
      }
    });
    sums.add();
    if (in_panels) detail::add_products_in_panels<S>(context, dy, x, std::array{&w_.grad}, cache.sums_, cache.scratch_);
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w_);
    if (self.b_.size() > 0) visitor(scope / "b", self.b_);
  }

  const Matrix<S>& weight() const { return w_.value; }
  const Matrix<S>& bias() const { return b_.value; }

 private:
  static constexpr Index kBlock = 192;
  Parameter<S> w_;  // (H, F)
  Parameter<S> b_;  // (H), or empty
};

}  // namespace minrnn
