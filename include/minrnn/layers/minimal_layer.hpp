// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <span>

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
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/gate_products.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/gradient_panels.hpp"
#include "minrnn/kernels/gradient_sums.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/initial_state.hpp"
#include "minrnn/layers/minimal_options.hpp"
#include "minrnn/math/scaled.hpp"
#include "minrnn/scan/gated_scan.hpp"

namespace minrnn::detail {

/// What minGRU and minLSTM have in common: gates that see only the input, and a first-order linear recurrence.
///
/// Equations   k_t = W x_t + b for each gate;  (a_t, b_t) = Gates(k_t);  h_t = a_t h_{t-1} + b_t
/// Gradient    delta_t = dh_t + a_{t+1} delta_{t+1};  dk_t from delta_t, h_{t-1} and k_t by Gates;
///             dW = sum dk_t x_t^T;  db = sum dk_t;  dx_t = W^T dk_t: scan/gated_scan.hpp
/// Shapes      G gates; x (F, T, B); k (G H, T, B), gate after gate; h (H, T, B)
/// Memory      kept for backward: h and what Gates keeps, (G + 1) H scalars per step; and dx, F. Where W is large,
///             backward also has dk of all steps, G H
template <class S, ScanGates Gates>
class MinimalLayer {
  static constexpr Index kGates = Gates::kCount;
  static constexpr bool kLogSpace = Gates::arithmetic == Arithmetic::log_space;
  using Backward = GatedScanBackward<S, Gates>;
  template <class P>
  using Operator = typename GatedScanForward<S, Gates, true>::template Operator<P>;

 public:
  using Scalar = S;

  struct State {
    Matrix<S> h;  // (H, B), never a logarithm

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "h", self.h);
    }
  };

  class Cache : public CacheBase {
    friend MinimalLayer;
    // kept for backward
    SequenceView<const S> x_;  // (F, T, B)
    Sequence<S> kept_;         // (G H, T, B)
    Output<S> h_;              // (H, T, B)
    Matrix<S> first_;          // (H, B) the state before the first step
    // results and scratch
    Output<S> dx_;                   // (F, T, B)
    Sequence<S> block_;              // k (G H, 1, B) of a step; dk of a block of each worker, or (G H, T, B)
    Sequence<S> product_;            // of each worker
    PackedGates<S, kGates> packed_;  // W and b
    PackedWeight<S> transposed_;     // W^T (F, G H)
    Sequence<S> h_0_;                // (H) the initial state
    Matrix<S> carry_;                // (H, B), or two such planes: the state as the recurrence carries it
    Sequence<S> sums_;               // of each tile: dW and db of each gate, dh_0
    Matrix<S> dh_0_;                 // (H)
  };

  Index input_size() const { return w_[0].value.cols(); }
  Index output_size() const { return w_[0].value.rows(); }

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
    cache.keep(sizes(), x.time(), x.batch());
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
    const SequenceView<S> k = cache.block_.resize(kGates * features, 1, x.batch());
    const Columns<S> k_t = k.frame(0).columns();
    if (x.batch() == 1)
      multiply_gates(w_, b_, x.data(), k.data());
    else
      for (Index gate = 0; gate < kGates; ++gate)
        multiply_unpacked(w_[gate].value, x.columns(), b_[gate].value, k_t.features(gate * features, features));
    for (Index b = 0; b < x.batch(); ++b) {
      const Row<S> state_b = Columns<S>(state.h)[b], h_b = h.row(0, b);
      const Row<const S> h_before = x.starts()(0, b) ? h_0_.row(cache.h_0_, output_size()) : state_b;
      for_lanes<S>(features, [&](auto i) {
        using P = typename decltype(i)::P;
        using Op = Operator<P>;
        const auto step = Gates::forward(load_gates<P, kGates>(i, k_t[b], features));
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
    const SequenceView<S> scratch = cache.product_.resize(PackedGates<S, kGates>::kScratch, 1, context.workers());
    cache.packed_.pack(w_, b_);
    carry_state<Operator>(state.h, cache.carry_);
    GatedScanForward<S, Gates, keep>{
        x, h, kept, h_0_.row(cache.h_0_, output_size()), cache.packed_, scratch, block_steps(), divided}(
        context, tiling, cache.carry_);
    value_carry<Operator>(cache.carry_, state.h);
    return SequenceView<const S>(h).with_starts(x.starts());
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    const SequenceView<const S> x = cache.x_, h = cache.h_.view();
    cache.check_backward(Gates::kName, sizes(), dy);
    check_matrix(Gates::kName, "dstate.h", dstate.h, h.features(), h.batch());
    const Index inputs = input_size(), features = output_size(), rows = kGates * features;
    const bool in_panels = Backward::keeps_dk(inputs, features);
    const Tiling tiling(features, h.time(), h.batch(), Backward::cost(inputs, features));
    const SequenceView<S> dx = cache.dx_.resize(inputs, h.time(), h.batch(), dy, x);
    const SequenceView<S> dk = in_panels ? cache.block_.resize(rows, h.time(), h.batch())
                                         : cache.block_.resize(rows, block_steps(), context.workers());
    const SequenceView<S> scratch = cache.product_.resize(kOuterScratch<S>, 1, context.workers());
    cache.transposed_.resize(inputs, rows);
    for (Index gate = 0; gate < kGates; ++gate) cache.transposed_.set_transposed(gate * features, w_[gate].value);
    cache.dh_0_.setZero(features, 1);
    const auto all = gradients(cache.dh_0_);
    auto of_tiles = all;
    if (in_panels) std::fill_n(of_tiles.begin(), kGates, nullptr);
    const typename Backward::Sums sums(cache.sums_, tiling.count(), context, of_tiles);
    const Row<const S> h_0 = h_0_.row(cache.h_0_, features);
    Backward{x, dy, h, cache.kept_.view(), cache.first_, h_0, cache.transposed_, dx, dk, scratch, sums, block_steps()}(
        context, tiling, dstate.h);
    sums.add();
    if (in_panels) add_products_in_panels<S>(context, dk, x, std::span(all).first(kGates), cache.sums_, cache.product_);
    // No sequence begins in a call without frames: the call that comes next is the one that begins with h_0.
    if (h_0_.is_learned() && h.time() > 0) h_0_.add_gradient(cache.dh_0_, h_0, cache.first_, dstate.h);
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    for (Index gate = 0; gate < kGates; ++gate) {
      visitor(scope / Gates::kWeights[gate], self.w_[gate]);
      visitor(scope / Gates::kBiases[gate], self.b_[gate]);
    }
    if (self.h_0_.is_learned()) visitor(scope / "h_0", self.h_0_.parameter);
  }

  /// The weight (H, F) and the bias (H) of one gate, in the order of the layer's equations.
  const Matrix<S>& weight(Index gate) const { return w_[gate].value; }
  const Matrix<S>& bias(Index gate) const { return b_[gate].value; }
  bool learns_initial_state() const { return h_0_.is_learned(); }

 protected:
  /// Weights and biases uniform in +-1 / sqrt(F), as torch.nn.Linear; h_0 normal.
  MinimalLayer(Index inputs, Index features, RandomStream stream, const MinimalOptions& options) {
    Random random(stream);
    check_size(Gates::kName, "inputs", inputs);
    check_size(Gates::kName, "features", features);
    check(std::isfinite(options.forget_bias), Gates::kName, "forget_bias", "a finite number", options.forget_bias);
    const double limit = 1 / std::sqrt(static_cast<double>(inputs));
    for (Index gate = 0; gate < kGates; ++gate) {
      w_[gate] = Parameter<S>(features, inputs);
      b_[gate] = Parameter<S>(features);
      fill_symmetric(w_[gate].value, random, limit);
      fill_symmetric(b_[gate].value, random, limit);
      for (Index i = 0; i < features; ++i)
        b_[gate].value(i, 0) += static_cast<S>(Gates::kForgetBias[gate] * options.forget_bias);
    }
    if (options.learn_initial_state) {
      h_0_.parameter = Parameter<S>(features);
      fill_normal(h_0_.parameter.value, random, 1);
    }
  }

 private:
  Index block_steps() const { return steps_in_cache((kGates + 1) * output_size() + input_size()); }
  CacheBase::Sizes sizes() const { return {input_size(), output_size()}; }

  void check_argument(SequenceView<const S> x, const State& state) const {
    check_input(Gates::kName, x, input_size());
    check_matrix(Gates::kName, "state.h", state.h, output_size(), x.batch());
    if constexpr (kLogSpace)
      check(!(state.h.array() < S(0)).any(), Gates::kName, "state.h", "no negative element in log-space arithmetic",
            "one");
  }

  /// The gradients of W and b of each gate, and dh_0.
  typename Backward::Sums::Gradients gradients(Matrix<S>& dh_0) {
    typename Backward::Sums::Gradients all;
    auto next = all.begin();
    for (Index gate = 0; gate < kGates; ++gate) *next++ = &w_[gate].grad;
    for (Index gate = 0; gate < kGates; ++gate) *next++ = &b_[gate].grad;
    *next = &dh_0;
    return all;
  }

  Array<Parameter<S>, kGates> w_, b_;  // (H, F), (H) per gate
  InitialState<S, Gates> h_0_;
};

}  // namespace minrnn::detail
