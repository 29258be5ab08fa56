// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/gated_layer.hpp"
#include "minrnn/layers/initial_state.hpp"
#include "minrnn/layers/minimal_options.hpp"
#include "minrnn/math/scaled.hpp"
#include "minrnn/scan/gated_scan.hpp"

namespace minrnn::detail {

/// What layers have in common whose gates see only the input, so that the state is a first-order linear recurrence.
///
/// Equations   k_t = W x_t + b for each gate;  (a_t, b_t) = Gates(k_t);  h_t = a_t h_{t-1} + b_t
/// Gradient    delta_t = dh_t + a_{t+1} delta_{t+1};  dk_t from delta_t, h_{t-1} and k_t by Gates;
///             dW = sum dk_t x_t^T;  db = sum dk_t;  dx_t = W^T dk_t: scan/gated_scan.hpp
/// Shapes      G gates; x (F, T, B); k (G H, T, B), gate after gate; h (H, T, B)
/// Memory      kept for backward: h and what Gates keeps, (G + 1) H scalars per step; and dx, F. Where W is large,
///             backward also has dk of all steps, G H
template <class S, ScanGates Gates>
class MinimalLayer : public GatedLayer<S, Gates, MinimalLayer<S, Gates>> {
  using Base = GatedLayer<S, Gates, MinimalLayer>;
  using Base::kDiagonals, Base::kGates;
  using typename Base::Gradients;
  static constexpr bool kLogSpace = Gates::arithmetic == Arithmetic::log_space;
  template <class P>
  using Operator = typename GatedScanForward<S, Gates, true>::template Operator<P>;

 public:
  using Base::input_size, Base::output_size;
  using typename Base::Cache;

  struct State {
    Matrix<S> h;  // (H, B), never a logarithm

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "h", self.h);
    }
  };

  State initial_state(Index batch) const {
    check_batch(Gates::kName, batch);
    State state{Matrix<S>(output_size(), batch)};
    for (Index b = 0; b < batch; ++b) h_0_.write(Columns<S>(state.h)[b], output_size());
    return state;
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    cache.x_ = x;
    cache.first_ = state.h;
    const auto y = run<true>(x, state, cache, context);
    cache.keep(this->sizes(), x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    if (x.time() == 1) return step(x.frame(0), state, cache, context).sequence();
    check_argument(x, state);
    cache.forget();
    return run<false>(x, state, cache, context);
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& = {}) const {
    check_argument(x.sequence(), state);
    cache.forget();
    const Index features = output_size();
    const SequenceView<S> h = cache.h_.resize(features, 1, x.batch(), x);
    const Columns<S> k_t = this->gates_of_frame(x, cache);
    const auto diagonal = this->diagonals();
    for (Index b = 0; b < x.batch(); ++b) {
      const Row<S> state_b = Columns<S>(state.h)[b], h_b = h.row(0, b);
      const Row<const S> h_before = x.starts()(0, b) ? h_0_.row(cache.h_0_, output_size()) : state_b;
      for_lanes<S>(features, [&](auto i) {
        using P = typename decltype(i)::P;
        using Op = Operator<P>;
        const auto prepared = Gates::prepare(load_each<P, kDiagonals, S>(i, diagonal));
        const auto step = Gates::forward(load_gates<P, kGates>(i, k_t[b], features), prepared);
        const P h_after = Op::value(Op{step.decay, step.input}(Op::carried(h_before[i])));
        state_b[i] = h_after;
        h_b[i] = h_after;
      });
    }
    return FrameView<const S>(h.frame(0)).with_starts(x.starts());
  }

 private:
  template <bool keep>
  SequenceView<const S> run(SequenceView<const S> x, State& state, Cache& cache, const Context& context) const {
    const Index features = output_size();
    const Tiling tiling(features, x.time(), x.batch(), {gated_work(kGates * features, input_size())});
    const bool divided = tiling.parts() > 1;
    const SequenceView<S> h = cache.h_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> kept =
        keep || divided ? cache.kept_.resize(kGates * features, x.time(), x.batch()) : SequenceView<S>();
    carry_state<Operator>(state.h, cache.carry_);
    GatedScanForward<S, Gates, keep>{
        this->gates_of(x, cache, context), h, kept, h_0_.row(cache.h_0_, features), this->diagonals(), divided}(
        context, tiling, cache.carry_);
    value_carry<Operator>(cache.carry_, state.h);
    return SequenceView<const S>(h).with_starts(x.starts());
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    const SequenceView<const S> h = cache.h_.view();
    cache.check_backward(Gates::kName, this->sizes(), dy);
    check_matrix(Gates::kName, "dstate.h", dstate.h, h.features(), h.batch());
    const Index features = output_size();
    const Tiling tiling(features, h.time(), h.batch(), Gradients::cost(input_size(), features));
    const Row<const S> h_0 = h_0_.row(cache.h_0_, features);
    cache.dh_0_.setZero(features, 1);
    const auto dx = this->add_gradients(dy, cache, tiling, &cache.dh_0_, context, [&](const Gradients& gradients) {
      GatedScanBackward<S, Gates>{gradients, dy, h, cache.kept_.view(), cache.first_, h_0, this->diagonals()}(
          context, tiling, dstate.h);
    });
    // No sequence begins in a call without frames: the call that comes next is the one that begins with h_0.
    if (h_0_.is_learned() && h.time() > 0) h_0_.add_gradient(cache.dh_0_, h_0, cache.first_, dstate.h);
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Base::visit(self, scope, visitor);
    if (self.h_0_.is_learned()) visitor(scope / "h_0", self.h_0_.parameter);
  }

  bool learns_initial_state() const { return h_0_.is_learned(); }
  /// The state (H) before the first frame, to memory of the caller's.
  void write_initial_state(Row<S> h_0) const { h_0_.write(h_0, output_size()); }

 protected:
  /// Weights and biases uniform in +-1 / sqrt(F), as torch.nn.Linear; h_0 normal.
  MinimalLayer(Index inputs, Index features, RandomStream stream, const MinimalOptions& options)
      : Base(inputs, features) {
    Random random(stream);
    check_that(is_finite(options.forget_bias), Gates::kName, "forget_bias", "a finite number", options.forget_bias);
    const double limit = 1 / std::sqrt(static_cast<double>(inputs));
    for (Index gate = 0; gate < kGates; ++gate) {
      Matrix<S>& bias = this->b_[gate].value;
      fill_symmetric(this->w_[gate].value, random, limit);
      fill_symmetric(bias, random, limit);
      for (Index i = 0; i < features; ++i) bias(i, 0) += static_cast<S>(Gates::kForgetBias[gate] * options.forget_bias);
    }
    if (options.learn_initial_state) {
      h_0_.parameter = Parameter<S>(features);
      fill_normal(h_0_.parameter.value, random, 1);
    }
  }

 private:
  void check_argument(SequenceView<const S> x, const State& state) const {
    check_input(Gates::kName, x, input_size());
    check_matrix(Gates::kName, "state.h", state.h, output_size(), x.batch());
    if constexpr (kLogSpace)
      check_that(!(state.h.array() < S(0)).any(), Gates::kName, "state.h",
                 "no negative element in log-space arithmetic", "one");
  }

  InitialState<S, Gates> h_0_;
};

}  // namespace minrnn::detail
