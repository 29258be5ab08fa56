// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/reversed_time.hpp"

namespace minrnn {

/// How the outputs of two directions become one: concatenated, the features of the forward layer before those of the
/// backward layer, as PyTorch; or added, where they have the same size.
enum class Join { concatenated, added };

/// Two layers over the same frames, one forward and one backward in time, so that every frame of y knows all frames of
/// its segment. It is not causal: it has no `step`, and chunks of a segment are not the segment.
///
///   Bidirectional net(Gru<float>(3, 16, random.stream(0)), Gru<float>(3, 16, random.stream(1)));
///
/// Equations   u = forward(x),  v_{T-1-t} = backward(x')_t with x'_t = x_{T-1-t};  y_t = (u_t, v_t), or u_t + v_t
/// Shapes      x (F, T, B), u (H, T, B), v (G, T, B), y (H + G, T, B) or (H, T, B)
/// State       of both. The backward layer takes its own behind the last frame and leaves it before the first: what is
///             given is h_0 of torch.nn.GRU(bidirectional=True), what is left is its h_n
/// Starts      no direction passes one: where a segment starts at frame t, the backward layer begins anew at t - 1
/// Gradient    dx_t = forward's dx_t + backward's dx_{T-1-t}
/// Parameters  forward/..., backward/...
/// Memory      kept for backward: that of both, x reversed (F, T, B), and y. Backward has a copy of dy, dx, and the dx
///             of both; where the outputs are added, the copy is for one direction alone
/// Throws      std::invalid_argument where the sizes of the two do not fit
/// Source      Schuster and Paliwal 1997, "Bidirectional recurrent neural networks"
template <SequenceMap Forward, SequenceMap Backward = Forward>
requires std::same_as<typename Forward::Scalar, typename Backward::Scalar>
class Bidirectional {
  static constexpr std::string_view kForward = "forward", kBackward = "backward";

 public:
  using Scalar = typename Forward::Scalar;
  static constexpr bool kTellsOfParts = true;

  struct State {
    typename Forward::State forward;
    typename Backward::State backward;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      Forward::State::visit(self.forward, scope / kForward, visitor);
      Backward::State::visit(self.backward, scope / kBackward, visitor);
    }
  };

  class Cache : public CacheBase {
    friend Bidirectional;
    typename Forward::Cache forward_;
    typename Backward::Cache backward_;
    SequenceView<const Scalar> x_;           // (F, T, B)
    Sequence<Scalar> reversed_;              // (F, T, B) x from its end
    std::vector<std::uint8_t> starts_;       // (T, B) of x from its end
    Output<Scalar> y_, dx_;                  // (H + G, T, B) or (H, T, B); (F, T, B)
    Sequence<Scalar> dforward_, dbackward_;  // (H, T, B), (G, T, B) dL/du, and dL/dv from its end
  };

  Bidirectional(Forward forward, Backward backward, Join join = Join::concatenated)
      : forward_(std::move(forward)), backward_(std::move(backward)), join_(join) {
    detail::check_that(forward_.input_size() == backward_.input_size(), "Bidirectional", "backward's input size",
                       forward_.input_size(), backward_.input_size());
    detail::check_that(join != Join::added || forward_.output_size() == backward_.output_size(), "Bidirectional",
                       "backward's output size", forward_.output_size(), backward_.output_size());
  }

  Index input_size() const { return forward_.input_size(); }
  Index output_size() const { return forward_.output_size() + (is_added() ? 0 : backward_.output_size()); }
  State initial_state(Index batch) const {
    return {detail::part(forward_).initial_state(batch), detail::part(backward_).initial_state(batch)};
  }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    cache.x_ = x;
    const auto reversed = reverse(x, cache, context);
    const auto u = detail::in_part(
        kForward, [&] { return detail::part(forward_).forward(x, state.forward, cache.forward_, context); });
    const auto v = detail::in_part(
        kBackward, [&] { return detail::part(backward_).forward(reversed, state.backward, cache.backward_, context); });
    const auto y = join(x, u, v, cache, context);
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    const auto reversed = reverse(x, cache, context);
    const auto u = detail::in_part(
        kForward, [&] { return detail::part(forward_).infer(x, state.forward, cache.forward_, context); });
    const auto v = detail::in_part(
        kBackward, [&] { return detail::part(backward_).infer(reversed, state.backward, cache.backward_, context); });
    return join(x, u, v, cache, context);
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Bidirectional", sizes(), dy);
    detail::check_state("Bidirectional", "dstate", *this, state_rows_, dstate, dy.batch());
    const auto du = of_forward(dy, cache, context), dv = of_backward(dy, cache, context);
    const auto through_forward = detail::in_part(
        kForward, [&] { return detail::part(forward_).backward(du, dstate.forward, cache.forward_, context); });
    detail::tell_finished(context, forward_);
    const auto through_backward = detail::in_part(
        kBackward, [&] { return detail::part(backward_).backward(dv, dstate.backward, cache.backward_, context); });
    detail::tell_finished(context, backward_);
    const SequenceView<Scalar> dx = cache.dx_.resize(input_size(), dy.time(), dy.batch(), dy, cache.x_);
    detail::for_packets<Scalar>(context, dx, [&](auto i, Index t, Index b) {
      dx.row(t, b)[i] = through_forward.row(t, b)[i] + detail::row_from_end(through_backward, t, b)[i];
    });
    return dx;
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Forward::visit(self.forward_, scope / kForward, visitor);
    Backward::visit(self.backward_, scope / kBackward, visitor);
  }

  const Forward& forward_layer() const { return forward_; }
  const Backward& backward_layer() const { return backward_; }

 private:
  bool is_added() const { return join_ == Join::added; }
  CacheBase::Sizes sizes() const {
    return {input_size(), output_size(), forward_.output_size(), parameter_count(*this)};
  }

  void check_argument(SequenceView<const Scalar> x, const State& state) const {
    detail::check_input("Bidirectional", x, input_size());
    detail::check_state("Bidirectional", "state", *this, state_rows_, state, x.batch());
  }

  static SequenceView<const Scalar> reverse(SequenceView<const Scalar> x, Cache& cache, const Context& context) {
    const SequenceView<Scalar> reversed = cache.reversed_.resize(x.features(), x.time(), x.batch());
    detail::reverse_time(context, x, 0, reversed);
    return SequenceView<const Scalar>(reversed).with_starts(
        detail::reversed_starts(x.starts(), x.time(), x.batch(), cache.starts_));
  }

  /// y of u, and of v from its end.
  SequenceView<const Scalar> join(SequenceView<const Scalar> x, SequenceView<const Scalar> u,
                                  SequenceView<const Scalar> v, Cache& cache, const Context& context) const {
    const SequenceView<Scalar> y = cache.y_.resize(output_size(), x.time(), x.batch(), x);
    if (is_added()) {
      detail::for_packets<Scalar>(context, y, [&](auto i, Index t, Index b) {
        y.row(t, b)[i] = u.row(t, b)[i] + detail::row_from_end(v, t, b)[i];
      });
    } else {
      detail::for_packets<Scalar>(context, u, [&](auto i, Index t, Index b) { y.row(t, b)[i] = u.row(t, b)[i]; });
      detail::for_packets<Scalar>(context, v, [&](auto i, Index t, Index b) {
        y.row(t, b).from(u.features())[i] = detail::row_from_end(v, t, b)[i];
      });
    }
    return SequenceView<const Scalar>(y).with_starts(x.starts());
  }

  /// dL/du.
  SequenceView<const Scalar> of_forward(SequenceView<const Scalar> dy, Cache& cache, const Context& context) const {
    if (is_added()) return dy;
    const SequenceView<Scalar> du = cache.dforward_.resize(forward_.output_size(), dy.time(), dy.batch());
    detail::for_packets<Scalar>(context, du, [&](auto i, Index t, Index b) { du.row(t, b)[i] = dy.row(t, b)[i]; });
    return du;
  }
  /// dL/dv from its end.
  SequenceView<const Scalar> of_backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context) const {
    const SequenceView<Scalar> dv = cache.dbackward_.resize(backward_.output_size(), dy.time(), dy.batch());
    detail::reverse_time(context, dy, is_added() ? 0 : forward_.output_size(), dv);
    return dv;
  }

  Forward forward_;
  Backward backward_;
  Join join_;
  std::uint64_t state_rows_ = detail::rows_of(initial_state(0));
};

}  // namespace minrnn
