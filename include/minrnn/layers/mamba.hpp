// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/scan/selective_scan.hpp"

namespace minrnn {

struct MambaOptions {
  Index expansion = 2;   // inner channels / features
  Index states = 16;     // N, of each channel
  Index kernel = 4;      // of the convolution
  Index delta_rank = 0;  // R; 0: features / 16, rounded up
};

/// The Mamba block: a selective state space whose step size, input and output maps depend on the input.
///
/// Equations   u = silu(conv(W_in x)),  (B, C) = W_bc u,  delta = softplus(W_up W_down u + b_up),  A = -exp(a_log)
///             h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t,  s_t = C_t h_t + skip u_t
///             y = W_out (s silu(W_gate x))
/// Shapes      x, y (F, T, B); D = expansion F; u, delta, s (D, T, B); B, C (N, T, B); a_log (D, N), skip (D);
///             in/w, gate/w (D, F), bc/w (2 N, D), delta_down/w (R, D), delta_up/w (D, R), delta_up/b (D), out/w (F,
///             D); state: the tail of the convolution (D (K - 1), B), and h (D N, B), channels fastest
/// Gradient    that of `selective_scan`, and the parts' own; da_log = dA A
/// Parameters  in, gate, conv, bc, delta_down, delta_up, a_log, skip, out. At first, as in the official code: A = -1
///             ... -N in each channel, skip 1, softplus(b_up) log-uniform in [0.001, 0.1]; the rest as Linear and
///             Conv1d. Neither a_log nor skip decays
/// Memory      kept for backward: (6 + N / 64) D + 2 N + R scalars per step
/// Throws      std::invalid_argument for a size below 1 or a wrong shape
/// Source      Gu and Dao 2023, "Mamba: Linear-time sequence modeling with selective state spaces"
template <class S>
class Mamba {
 public:
  using Scalar = S;
  static constexpr bool kHasOwnProjections = true;  // and a convolution: see MixerWithProjections

  struct State {
    typename Conv1d<S>::State conv;
    Matrix<S> h;  // (D N, B)

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      Conv1d<S>::State::visit(self.conv, scope / "conv", visitor);
      visitor(scope / "h", self.h);
    }
  };

  class Cache : public CacheBase {
    friend Mamba;
    typename Linear<S>::Cache in_, gate_, bc_, down_, up_, out_;
    typename Conv1d<S>::Cache conv_;
    LastResult<S> result_;
    SelectiveScanCache<S> scan_;
    SequenceView<const S> x_;                                         // (F, T, B)
    SequenceView<const S> filtered_, gate_result_, bc_result_, raw_;  // results of conv, gate, bc and up
    Sequence<S> u_, gated_;                                           // (D, T, B)
    Sequence<S> du_, draw_, dgate_;                                   // (D, T, B)
    Sequence<S> dbc_;                                                 // (2 N, T, B)
    Output<S> dx_;                                                    // (F, T, B)
    Matrix<S> a_, da_, dskip_;                                        // (D, N), (D, N), (D)
  };

  Mamba(Index features, RandomStream stream, const MambaOptions& options = {})
      : Mamba(features, checked(features, options), stream) {}

  Index input_size() const { return in_.input_size(); }
  Index output_size() const { return in_.input_size(); }

  State initial_state(Index batch) const {
    detail::check_batch("Mamba", batch);
    return {conv_.initial_state(batch), Matrix<S>::Zero(a_log_.size(), batch)};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    const auto y = run<true>(x, state, cache, context);
    cache.keep(sizes(), x.time(), x.batch());
    return y;
  }
  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return run<false>(x, state, cache, context);
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

 private:
  template <bool keep>
  SequenceView<const S> run(SequenceView<const S> x, State& state, Cache& cache, const Context& context) const {
    const Index channels = skip_.size(), time = x.time(), batch = x.batch();
    detail::check_input("Mamba", x, input_size());
    detail::check_matrix("Mamba", "state.h", state.h, a_log_.size(), batch);
    detail::check_matrix("Mamba", "state.conv.tail", state.conv.tail, channels * (conv_.kernel_size() - 1), batch);
    cache.forget();
    if (keep) cache.x_ = x = cache.result_.keep(x);
    NoState none;
    const auto through = [&](const auto& layer, SequenceView<const S> from, auto& own, auto& own_state) {
      return keep ? layer.forward(from, own_state, own, context) : layer.infer(from, own_state, own, context);
    };
    const SequenceView<S> u = cache.u_.resize(channels, time, batch),
                          gated = cache.gated_.resize(channels, time, batch);
    const auto filtered = through(conv_, through(in_, x, cache.in_, none), cache.conv_, state.conv);
    detail::for_packets<S>(context, u,
                           [&](auto i, Index t, Index b) { u.row(t, b)[i] = silu(filtered.row(t, b)[i]).value; });
    cache.filtered_ = filtered;
    cache.gate_result_ = through(gate_, x, cache.gate_, none);
    cache.bc_result_ = through(bc_, u, cache.bc_, none);
    cache.raw_ = through(up_, through(down_, u, cache.down_, none), cache.up_, none);
    cache.a_ = -a_log_.value.array().exp();
    if (keep)
      selective_scan(scan_inputs(cache), state.h, gated, cache.scan_, context);
    else
      selective_scan_infer(scan_inputs(cache), state.h, gated, cache.scan_, context);
    return cache.result_.note(through(out_, gated, cache.out_, none)).with_starts(x.starts());
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("Mamba", sizes(), dy);
    const SequenceView<const S> filtered = cache.filtered_;
    const Index channels = skip_.size(), time = filtered.time(), batch = filtered.batch();
    detail::check_matrix("Mamba", "dstate.h", dstate.h, a_log_.size(), batch);
    detail::check_matrix("Mamba", "dstate.conv.tail", dstate.conv.tail, channels * (conv_.kernel_size() - 1), batch);
    NoState none;
    const auto make = [&](Sequence<S>& sequence) { return sequence.resize(channels, time, batch); };
    const SequenceView<S> du = make(cache.du_), draw = make(cache.draw_), dgate = make(cache.dgate_);
    const SequenceView<S> dbc = cache.dbc_.resize(cache.bc_result_.features(), time, batch);

    const SequenceView<const S> dgated = out_.backward(dy, none, cache.out_, context);
    selective_scan_backward(scan_inputs(cache), dgated, dstate.h, {du, draw, dgate, dbc, cache.da_, cache.dskip_},
                            cache.scan_, context);
    a_log_.grad += cache.da_.cwiseProduct(cache.a_);
    skip_.grad += cache.dskip_;
    const auto through_delta = down_.backward(up_.backward(draw, none, cache.up_, context), none, cache.down_, context);
    const auto through_bc = bc_.backward(dbc, none, cache.bc_, context);
    detail::for_packets<S>(context, filtered, [&](auto i, Index t, Index b) {
      const Row<S> du_t = du.row(t, b);
      du_t[i] =
          gated(silu(filtered.row(t, b)[i]).derivative, du_t[i] + through_bc.row(t, b)[i] + through_delta.row(t, b)[i]);
    });
    const auto through_in =
        in_.backward(conv_.backward(du, dstate.conv, cache.conv_, context), none, cache.in_, context);
    const auto through_gate = gate_.backward(dgate, none, cache.gate_, context);
    const SequenceView<S> dx = cache.dx_.resize(input_size(), time, batch, dy, cache.x_);
    detail::for_packets<S>(context, dx, [&](auto i, Index t, Index b) {
      dx.row(t, b)[i] = through_in.row(t, b)[i] + through_gate.row(t, b)[i];
    });
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Linear<S>::visit(self.in_, scope / "in", visitor);
    Linear<S>::visit(self.gate_, scope / "gate", visitor);
    Conv1d<S>::visit(self.conv_, scope / "conv", visitor);
    Linear<S>::visit(self.bc_, scope / "bc", visitor);
    Linear<S>::visit(self.down_, scope / "delta_down", visitor);
    Linear<S>::visit(self.up_, scope / "delta_up", visitor);
    visitor(scope / "a_log", self.a_log_);
    visitor(scope / "skip", self.skip_);
    Linear<S>::visit(self.out_, scope / "out", visitor);
  }

 private:
  CacheBase::Sizes sizes() const {
    return {input_size(), output_size(), a_log_.value.cols(), conv_.kernel_size(), parameter_count(*this)};
  }

  static MambaOptions checked(Index features, MambaOptions options) {
    detail::check_size("Mamba", "features", features);
    detail::check_size("Mamba", "expansion", options.expansion);
    detail::check_size("Mamba", "states", options.states);
    detail::check_size("Mamba", "kernel", options.kernel);
    detail::check_that(options.delta_rank >= 0, "Mamba", "delta_rank", "a size of at least 1, or 0",
                       options.delta_rank);
    detail::check_product("Mamba", "expansion", options.expansion, features);
    if (options.delta_rank == 0) options.delta_rank = (features + 15) / 16;
    return options;
  }

  Mamba(Index features, const MambaOptions& options, RandomStream stream)
      : in_(features, options.expansion * features, stream.stream(0), {.bias = false}),
        gate_(features, options.expansion * features, stream.stream(1), {.bias = false}),
        conv_(options.expansion * features, options.kernel, stream.stream(2)),
        bc_(options.expansion * features, 2 * options.states, stream.stream(3), {.bias = false}),
        down_(options.expansion * features, options.delta_rank, stream.stream(4), {.bias = false}),
        up_(make_up(options.expansion * features, options.delta_rank, stream.stream(5))),
        out_(options.expansion * features, features, stream.stream(6), {.bias = false}),
        a_log_(options.expansion * features, options.states),
        skip_(options.expansion * features) {
    for (Index n = 0; n < options.states; ++n)
      a_log_.value.col(n).setConstant(static_cast<S>(std::log(static_cast<double>(n + 1))));
    skip_.value.setOnes();
    a_log_.decays = false;
  }

  static Linear<S> make_up(Index channels, Index rank, RandomStream stream) {
    const double least = std::log(0.001), most = std::log(0.1);
    Random random(stream);
    Matrix<S> weight(channels, rank), bias(channels, 1);
    fill_symmetric(weight, random, 1 / std::sqrt(static_cast<double>(rank)));
    for (Index i = 0; i < channels; ++i) {
      const double delta = std::exp(least + (most - least) * random.uniform());
      bias(i) = static_cast<S>(delta + std::log(-std::expm1(-delta)));  // softplus of it is delta
    }
    return Linear<S>(weight, bias);
  }

  SelectiveScanInputs<S> scan_inputs(const Cache& cache) const {
    return {SequenceView<const S>(cache.u_.view()).with_starts(cache.gate_result_.starts()),
            cache.raw_,
            cache.gate_result_,
            cache.bc_result_,
            cache.a_,
            skip_.value};
  }

  Linear<S> in_, gate_;
  Conv1d<S> conv_;
  Linear<S> bc_, down_, up_, out_;
  Parameter<S> a_log_;  // (D, N)
  Parameter<S> skip_;   // (D)
};

}  // namespace minrnn
