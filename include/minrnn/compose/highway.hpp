// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
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
#include "minrnn/math/activation.hpp"

namespace minrnn {

/// A layer, `inner`, and a way around it, for a layer whose output has the size of its input: a gate of the input says
/// how much of y comes by which way.
///
///   Highway layer(MinGru<float>(64, 64, random.stream(0)), random.stream(1));
///
/// Equations   k_t = W_p x_t,  p_t = sigmoid(k_t),  y_t = p_t l_t + (1 - p_t) x_t  with l = inner(x)
/// Shapes      x, k, p, l, y (F, T, B); W_p (F, F). The state is inner's
/// Gradient    dl_t = p_t dy_t;  dk_t = p_t (1 - p_t) (l_t - x_t) dy_t;  dW_p = sum dk_t x_t^T;
///             dx_t = inner's dx_t + W_p^T dk_t + (1 - p_t) dy_t
/// Parameters  inner/..., w_p; uniform in +-1 / sqrt(F) at first
/// Memory      kept for backward: inner's, k and y. Backward has dl, dk and dx
/// Throws      std::invalid_argument where inner changes the size, or for a wrong shape
/// Source      Srivastava et al. 2015, "Highway networks", arXiv:1505.00387; around minGRU, without a bias: PufferLib
template <SequenceMap Inner>
class Highway {
  static constexpr std::string_view kInner = "inner";

 public:
  using Scalar = typename Inner::Scalar;
  using State = typename Inner::State;
  static constexpr bool kTellsOfParts = true;

  class Cache : public CacheBase {
    friend Highway;
    typename Inner::Cache inner_;
    SequenceView<const Scalar> x_, l_;     // (F, T, B)
    Sequence<Scalar> k_, dl_, dk_;         // (F, T, B)
    Output<Scalar> y_, dx_;                // (F, T, B)
    detail::PackedWeight<Scalar> packed_;  // W_p, or W_p^T in backward
    Sequence<Scalar> scratch_;             // of each worker
    Sequence<Scalar> sums_;                // of each tile: dW_p
  };

  Highway(Inner inner, RandomStream stream) : inner_(std::move(inner)) {
    const Index size = inner_.input_size();
    detail::check_that(size == inner_.output_size(), "Highway", "inner's output size", size, inner_.output_size());
    Random random(stream);
    w_p_ = Parameter<Scalar>(size, size, ReadBy::products);
    fill_symmetric(w_p_.value, random, 1 / std::sqrt(static_cast<double>(size)));
  }

  Index input_size() const { return inner_.input_size(); }
  Index output_size() const { return inner_.output_size(); }
  State initial_state(Index batch) const { return detail::part(inner_).initial_state(batch); }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    detail::check_input("Highway", x, input_size());
    cache.forget();
    cache.x_ = x;
    cache.l_ = detail::in_part(kInner, [&] { return detail::part(inner_).forward(x, state, cache.inner_, context); });
    const auto y = join(x, cache.l_, cache, true, context);
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    detail::check_input("Highway", x, input_size());
    cache.forget();
    const auto l = detail::in_part(kInner, [&] { return detail::part(inner_).infer(x, state, cache.inner_, context); });
    return join(x, l, cache, false, context);
  }
  FrameView<const Scalar> step(FrameView<const Scalar> x, State& state, Cache& cache,
                               const Context& context = {}) const requires SequenceLayer<Inner> {
    detail::check_input("Highway", x.sequence(), input_size());
    cache.forget();
    const auto l = detail::in_part(kInner, [&] { return detail::part(inner_).step(x, state, cache.inner_, context); });
    return join(x.sequence(), l.sequence(), cache, false, context).frame(0);
  }

  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Highway", sizes(), dy);
    const SequenceView<const Scalar> x = cache.x_, l = cache.l_, k = cache.k_;
    const SequenceView<Scalar> dl = cache.dl_.resize(input_size(), x.time(), x.batch()),
                               dk = cache.dk_.resize(input_size(), x.time(), x.batch());
    detail::for_packets<Scalar>(context, dl, [&](auto i, Index t, Index b) {
      const auto p = sigmoid_pair(k.row(t, b)[i]);
      const auto dl_i = p.value * dy.row(t, b)[i];
      dl.row(t, b)[i] = dl_i;
      dk.row(t, b)[i] = p.complement * dl_i * (l.row(t, b)[i] - x.row(t, b)[i]);
    });
    const auto through_inner =
        detail::in_part(kInner, [&] { return detail::part(inner_).backward(dl, dstate, cache.inner_, context); });
    detail::tell_finished(context, inner_);
    const auto dx = through_gate(dy, dk, through_inner, cache, context);
    if (context.listener != nullptr) context.listener->finished(&w_p_);
    return dx;
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Inner::visit(self.inner_, scope / kInner, visitor);
    visitor(scope / "w_p", self.w_p_);
  }

  const Inner& inner() const { return inner_; }
  const Matrix<Scalar>& weight() const { return w_p_.value; }

 private:
  static constexpr Index kBlock = 192;

  CacheBase::Sizes sizes() const { return {input_size(), output_size(), parameter_count(*this)}; }

  /// y of x and l; k is kept, or written where y will be.
  SequenceView<const Scalar> join(SequenceView<const Scalar> x, SequenceView<const Scalar> l, Cache& cache,
                                  bool keeps_k, const Context& context) const {
    const SequenceView<Scalar> y = cache.y_.resize(input_size(), x.time(), x.batch(), x);
    const SequenceView<Scalar> k = keeps_k ? cache.k_.resize(input_size(), x.time(), x.batch()) : y;
    const detail::Frames frames({static_cast<double>(w_p_.size() + 32 * input_size())}, x, l);
    cache.packed_.prepare(w_p_, frames.count());
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      for (auto block = frames.blocks(tile, kBlock); block.next();) {
        const Columns<const Scalar> x_n = frames.columns(x, block), l_n = frames.columns(l, block);
        const Columns<Scalar> k_n = frames.columns(k, block), y_n = frames.columns(y, block);
        cache.packed_.multiply(x_n, {}, k_n);
        for (Index j = 0; j < block.count; ++j)
          for_lanes<Scalar, kInterleaved>(x.features(), [&](auto i) {
            const auto p = sigmoid_pair(Row<const Scalar>(k_n[j])[i]);
            y_n[j][i] = fma(p.value, l_n[j][i], p.complement * x_n[j][i]);
          });
      }
    });
    return SequenceView<const Scalar>(y).with_starts(x.starts());
  }

  /// dx of what came back through inner, and dW_p += dk x^T.
  SequenceView<const Scalar> through_gate(SequenceView<const Scalar> dy, SequenceView<const Scalar> dk,
                                          SequenceView<const Scalar> through_inner, Cache& cache,
                                          const Context& context) {
    const SequenceView<const Scalar> x = cache.x_, k = cache.k_;
    const SequenceView<Scalar> dx = cache.dx_.resize(input_size(), x.time(), x.batch(), dy, x);
    const SequenceView<Scalar> scratch = cache.scratch_.resize(detail::kOuterScratch<Scalar>, 1, context.workers());
    const bool in_panels = detail::GradientPanels::pays(w_p_.size(), true);
    const double work = static_cast<double>(w_p_.size());
    const detail::Frames frames({in_panels ? work : 2 * work, in_panels ? 0 : w_p_.size()}, x, dy, through_inner);
    const GradientSums<Scalar, 1> sums(cache.sums_, frames.tiles(), context, {in_panels ? nullptr : &w_p_.grad});
    cache.packed_.prepare_transposed(w_p_.value);
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index worker) {
      const auto [dw] = sums.start(tile);
      for (auto block = frames.blocks(tile, kBlock); block.next();) {
        const Columns<const Scalar> dk_n = frames.columns(dk, block), k_n = frames.columns(k, block),
                                    dy_n = frames.columns(dy, block), inner_n = frames.columns(through_inner, block);
        const Columns<Scalar> dx_n = frames.columns(dx, block);
        cache.packed_.multiply(dk_n, {}, dx_n);
        for (Index j = 0; j < block.count; ++j)
          for_lanes<Scalar, kInterleaved>(x.features(), [&](auto i) {
            dx_n[j][i] += fma(sigmoid_pair(k_n[j][i]).complement, dy_n[j][i], inner_n[j][i]);
          });
        if (!in_panels) detail::add_outer_product(dk_n, frames.columns(x, block), dw, scratch.column(0, worker));
      }
    });
    sums.add();
    if (in_panels)
      detail::add_products_in_panels<Scalar>(context, dk, x, std::array{&w_p_.grad}, cache.sums_, cache.scratch_);
    return dx;
  }

  Inner inner_;
  Parameter<Scalar> w_p_;  // (F, F)
};

}  // namespace minrnn
