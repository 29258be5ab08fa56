// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/gates/diagonal_gates.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiles.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/layers/diagonal_options.hpp"
#include "minrnn/layers/gated_layer.hpp"
#include "minrnn/layers/recurrent_state.hpp"
#include "minrnn/scan/diagonal_walk.hpp"

namespace minrnn::detail {

/// What layers have in common whose gates see their own channel of the state through diagonal weights: products of the
/// input alone, for many steps at once, and an elementwise loop over time.
///
/// Equations   k_t = W x_t + b for each gate;  state_t = Gates(k_t, state_{t-1}), the state being h or h and c
/// Gradient    scan/diagonal_walk.hpp
/// Shapes      G gates, N = 1 or 2 states; x (F, T, B); k (G H, T, B), gate after gate; h (H, T, B)
/// Memory      kept for backward: h, c and what Gates keeps, (G + N) H scalars per step; and dx, F. Where W is large,
///             backward also has dk of all steps, G H
/// Threads     share the sequences: time must be walked, and one sequence is walked by one thread. The state before the
///             first frame and after a start is zero: it is not learned
template <class S, DiagonalGates Gates>
class DiagonalLayer : public GatedLayer<S, Gates, DiagonalLayer<S, Gates>> {
  using Base = GatedLayer<S, Gates, DiagonalLayer>;
  using Base::kDiagonals, Base::kGates;
  using typename Base::Gradients;
  static constexpr Index kStates = Gates::kStates;
  static constexpr bool kHasCell = kStates == 2;

 public:
  using Base::input_size, Base::output_size;
  using typename Base::Cache;

  using State = RecurrentState<S, kHasCell>;

  State initial_state(Index batch) const { return State::zero(Gates::kName, output_size(), batch); }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    check_forward(x, state);
    cache.forget();
    cache.x_ = x;
    join(state, cache.first_);
    const auto y = run<true>(x, state, cache, context);
    cache.keep(this->sizes(), x.time(), x.batch());
    return y;
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    if (x.time() == 1) return step(x.frame(0), state, cache, context).sequence();
    check_forward(x, state);
    cache.forget();
    return run<false>(x, state, cache, context);
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& = {}) const {
    check_forward(x.sequence(), state);
    cache.forget();
    const Index features = output_size();
    const SequenceView<S> h = cache.h_.resize(features, 1, x.batch(), x);
    const Columns<const S> k = this->gates_of_frame(x, cache);
    const auto diagonal = this->diagonals();
    for (Index b = 0; b < x.batch(); ++b) {
      const bool start = x.starts()(0, b);
      const Array<Row<S>, 2> rows{Columns<S>(state.h)[b], Columns<S>(state.c)[b]};
      for_lanes<S>(features, [&](auto i) {
        using P = typename decltype(i)::P;
        Array<P, kStates> before;
        unroll<kStates>([&](auto n) { before[n] = start ? P(S(0)) : P(rows[n][i]); });
        const auto after =
            Gates::forward(load_gates<P, kGates>(i, k[b], features), before, load_each<P, kDiagonals, S>(i, diagonal));
        unroll<kStates>([&](auto n) { rows[n][i] = after.state[n]; });
        h.row(0, b)[i] = after.state[0];
      });
    }
    return FrameView<const S>(h.frame(0)).with_starts(x.starts());
  }

 private:
  template <bool keep>
  SequenceView<const S> run(SequenceView<const S> x, State& state, Cache& cache, const Context& context) const {
    const Index features = output_size();
    const Tiling tiling = whole_sequences(x, {gated_work(kGates * features, input_size())});
    const SequenceView<S> h = cache.h_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> kept =
        keep ? cache.kept_.resize((kGates + kStates - 1) * features, x.time(), x.batch()) : SequenceView<S>();
    join(state, cache.carry_);
    DiagonalWalkForward<S, Gates, keep>{this->gates_of(x, cache, context), h, kept, this->diagonals()}(context, tiling,
                                                                                                       cache.carry_);
    part(cache.carry_, state);
    return SequenceView<const S>(h).with_starts(x.starts());
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    const SequenceView<const S> h = cache.h_.view();
    cache.check_backward(Gates::kName, this->sizes(), dy);
    dstate.check_shape(Gates::kName, "dstate.h", "dstate.c", output_size(), dy.batch());
    const Tiling tiling = whole_sequences(h, Gradients::cost(input_size(), output_size()));
    join(dstate, cache.carry_);
    const auto dx = this->add_gradients(dy, cache, tiling, nullptr, context, [&](const Gradients& gradients) {
      DiagonalWalkBackward<S, Gates>{gradients, dy, h, cache.kept_.view(), cache.first_, this->diagonals()}(
          context, tiling, cache.carry_);
    });
    part(cache.carry_, dstate);
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

 protected:
  /// Weights uniform in +-sqrt(6 / (F + H)), diagonal weights normal, biases 0 but for those of the first gate:
  /// channels with memories of different lengths. Throws std::invalid_argument for options that are no finite numbers
  /// and for a deviation below 0.
  ///
  /// The published code draws the diagonal weights with variance 4 / (5 F), here their deviation is 2. From the former
  /// DiagonalGru did not learn parity at F = 64: a state tracks others where its gates see it well from the beginning.
  /// Of bench/regular_languages, one layer of 64, DiagonalLstm had parity after 250 steps with deviation 2, 750 with 1,
  /// and not after 1500 with 0.5; DiagonalGru had cycle navigation right at a length of 64 in 67, 57 and 40 % of 1024
  /// sequences after 2000 steps. A gate that sees c so well makes gradients explode: a character model of three
  /// DiagonalLstm (F = 128, H = 256) was at 2.22 nats after 200 steps, and at 1.85 with 0.1 there.
  DiagonalLayer(Index inputs, Index features, RandomStream stream, const DiagonalOptions& options)
      : Base(inputs, features) {
    const double first = options.first_forget_bias, last = options.last_forget_bias;
    check_that(is_finite(first), Gates::kName, "first_forget_bias", "a finite number", first);
    check_that(is_finite(last), Gates::kName, "last_forget_bias", "a finite number", last);
    check_that(is_finite(options.deviation) && options.deviation >= 0, Gates::kName, "deviation",
               "a finite number of at least 0", options.deviation);
    Random random(stream);
    const double limit = std::sqrt(6 / static_cast<double>(inputs + features));
    for (Index gate = 0; gate < kGates; ++gate) fill_symmetric(this->w_[gate].value, random, limit);
    for (Index i = 0; i < kDiagonals; ++i)
      fill_normal(this->diagonal_[i].value, random, Gates::kDiagonalWeights[i].is_peephole ? 0.1 : options.deviation);
    Matrix<S>& bias = this->b_[0].value;
    for (Index i = 0; i < features; ++i) {
      const double part = i == 0 ? 0 : static_cast<double>(i) / static_cast<double>(features - 1);
      bias(i, 0) += static_cast<S>(Gates::kForgetBias * (first + (last - first) * part));
    }
  }

 private:
  static Tiling whole_sequences(SequenceView<const S> x, FrameCost cost) {
    return Tiling::of_steps(x.time(), x.time(), x.batch(), cost);
  }

  /// h and c (H, B) as planes (N H, B) below each other, and back.
  static void join(const State& state, Matrix<S>& planes) {
    planes.resize(kStates * state.h.rows(), state.h.cols());
    for (Index b = 0; b < state.h.cols(); ++b) {
      [[maybe_unused]] S* next = std::copy_n(state.h.col(b).data(), state.h.rows(), planes.col(b).data());
      if constexpr (kHasCell) std::copy_n(state.c.col(b).data(), state.c.rows(), next);
    }
  }
  static void part(const Matrix<S>& planes, State& state) {
    for (Index b = 0; b < state.h.cols(); ++b) {
      const S* plane = planes.col(b).data();
      std::copy_n(plane, state.h.rows(), state.h.col(b).data());
      if constexpr (kHasCell) std::copy_n(plane + state.h.rows(), state.c.rows(), state.c.col(b).data());
    }
  }

  void check_forward(SequenceView<const S> x, const State& state) const {
    check_input(Gates::kName, x, input_size());
    state.check_shape(Gates::kName, "state.h", "state.c", output_size(), x.batch());
  }
};

}  // namespace minrnn::detail
