// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn {

/// y = x + inner(x), for a layer whose output has the size of its input.
///
/// Gradient    dx = dy + inner's dx
/// Memory      kept for backward: inner's
/// Throws      std::invalid_argument where inner changes the size
template <SequenceMap Inner>
class Residual {
 public:
  using Scalar = typename Inner::Scalar;
  using State = typename Inner::State;
  static constexpr bool kTellsOfParts = true;

  class Cache : public CacheBase {
    friend Residual;
    typename Inner::Cache inner_;
    SequenceView<const Scalar> x_;  // (F, T, B)
    Output<Scalar> y_, dx_;         // (F, T, B)
  };

  explicit Residual(Inner inner) : inner_(std::move(inner)) {
    detail::check_that(inner_.input_size() == inner_.output_size(), "Residual", "inner's output size",
                       inner_.input_size(), inner_.output_size());
  }

  Index input_size() const { return inner_.input_size(); }
  Index output_size() const { return inner_.output_size(); }
  State initial_state(Index batch) const { return detail::part(inner_).initial_state(batch); }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    cache.forget();
    cache.x_ = x;
    const auto y = add(context, x, detail::part(inner_).forward(x, state, cache.inner_, context), cache.y_);
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    cache.forget();
    return add(context, x, detail::part(inner_).infer(x, state, cache.inner_, context), cache.y_);
  }
  FrameView<const Scalar> step(FrameView<const Scalar> x, State& state, Cache& cache,
                               const Context& context = {}) const requires SequenceLayer<Inner> {
    cache.forget();
    return add(context, x.sequence(), detail::part(inner_).step(x, state, cache.inner_, context).sequence(), cache.y_)
        .frame(0);
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Residual", sizes(), dy);
    const auto through_inner = detail::part(inner_).backward(dy, dstate, cache.inner_, context);
    detail::tell_finished(context, inner_);
    return add(context, dy, through_inner, cache.dx_, cache.x_);
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Inner::visit(self.inner_, scope, visitor);
  }

  const Inner& inner() const { return inner_; }

 private:
  CacheBase::Sizes sizes() const { return {input_size(), output_size(), parameter_count(*this)}; }

  /// a + b, apart from a and from what else is `read`.
  template <class... Views>
  static SequenceView<const Scalar> add(const Context& context, SequenceView<const Scalar> a,
                                        SequenceView<const Scalar> b, Output<Scalar>& result, const Views&... read) {
    const SequenceView<Scalar> sum = result.resize(a.features(), a.time(), a.batch(), a, read...);
    const detail::Frames frames({8.0 * static_cast<double>(a.features())}, a, b);
    parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
      frames.for_each(tile, [&](Index n) {
        const Row<const Scalar> a_n = frames.row(a, n), b_n = frames.row(b, n);
        const Row<Scalar> sum_n = frames.row(sum, n);
        for_lanes<Scalar>(a.features(), [&](auto i) { sum_n[i] = a_n[i] + b_n[i]; });
      });
    });
    return SequenceView<const Scalar>(sum).with_starts(a.starts());
  }

  Inner inner_;
};

}  // namespace minrnn
