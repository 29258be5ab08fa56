// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/partial_sums.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/math/gates.hpp"
#include "minrnn/scan/stretches.hpp"

namespace minrnn {

struct MinimalOptions {
  /// Added to the bias of the forget gate at initialisation, so that training begins with a longer memory: the state
  /// keeps about sigmoid(forget_bias) of itself in a step. Taken from b_z in minGRU, whose forget gate is 1 - z, and
  /// also from b_i in the normalised minLSTM. The official minLSTM, unnormalised, uses 3.
  double forget_bias = 0;
  /// Learn the state before the first frame and after a start, one for all sequences: h_0 = g(parameter) where the
  /// candidate is positive, the parameter itself where it is plain. Otherwise that state is zero. A sequence whose
  /// state is that of `initial_state` bit for bit begins there: what reaches it in backward belongs to the parameter.
  bool learn_initial_state = false;
};

namespace detail {

/// What minGRU and minLSTM have in common: gates that see only the input, and a first-order linear recurrence.
///
/// Equations   k_t = W x_t + b for each gate;  (a_t, b_t) = Gates(k_t);  h_t = a_t h_{t-1} + b_t
/// Gradient    delta_t = dh_t + a_{t+1} delta_{t+1};  dk_t from delta_t, h_{t-1} and k_t by Gates;
///             dW = sum dk_t x_t^T;  db = sum dk_t;  dx_t = W^T dk_t
/// Shapes      G gates; x (F, T, B); k (G H, T, B), gate after gate; h (H, T, B)
/// Memory      kept for backward: h and what Gates keeps, (G + 1) H scalars per step; and dx, F
///
/// Time is cut into blocks that stay in cache. Forward computes gates and recurrence on the product while it is in L1
/// (`PackedGates`); backward computes dk of a block, then adds to dW and multiplies with W^T, while it asks for what
/// the next block reads.
template <class S, class Gates>
class GatedScan {
  static constexpr int kGates = Gates::kCount;
  static constexpr Index kAhead = 8;  // steps by which memory is asked for before it is used
  static constexpr bool kLogSpace = Gates::arithmetic == Arithmetic::log_space;
  template <class P>
  using Operator = std::conditional_t<kLogSpace, ScaledAffine<P>, Affine<P>>;
  template <class P>
  using Values = typename Gates::template Values<P>;

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
    friend GatedScan;
    // kept for backward
    SequenceView<const S> x_;  // (F, T, B)
    Sequence<S> kept_;         // (G H, T, B)
    Output<S> h_;              // (H, T, B)
    Matrix<S> first_;          // (H, B) the state before the first step
    // results and scratch
    Output<S> dx_;                   // (F, T, B)
    Sequence<S> block_;              // k (G H, 1, B) of a step, or dk (G H, block, workers) of a block of time
    Sequence<S> product_;            // of each worker
    PackedGates<S, kGates> packed_;  // W and b
    PackedWeight<S> transposed_;     // W^T (F, G H)
    Sequence<S> reset_;              // (H) the initial state
    Matrix<S> carry_;                // (H, B), or two such planes: the state as the recurrence carries it
    PartialSums<S> gradients_;       // per tile: dW of each gate, db, dh_0
  };

  Index input_size() const { return w_[0].value.cols(); }
  Index output_size() const { return w_[0].value.rows(); }

  State initial_state(Index batch) const {
    check_batch(Gates::kName, batch);
    State state{Matrix<S>::Zero(output_size(), batch)};
    if (learns_initial_state())
      for (Index b = 0; b < batch; ++b)
        for_lanes<S>(output_size(), [&](auto lanes) {
          lanes.store(state.h.col(b).data(), Gates::candidate(lanes.load(h_0_.value.data())));
        });
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
    if (x.batch() == 1)
      multiply_gates(w_, b_, x.data(), k.data());
    else
      for (int gate = 0; gate < kGates; ++gate)
        multiply_unpacked(w_[gate].value, x.data(), x.stride(), x.batch(), b_[gate].value.data(),
                          k.data() + gate * features, k.features());
    for (Index b = 0; b < x.batch(); ++b) {
      S* row = state.h.col(b).data();
      const S* before = x.starts()(0, b) ? initial_row(cache).data() : row;
      for_lanes<S>(features, [&](auto lanes) {
        using Op = Operator<typename decltype(lanes)::P>;
        auto values = load(lanes, k.column(0, b));
        const auto after = Op::value(operator_of(values)(Op::carried(lanes.load(before))));
        lanes.store(row, after);
        lanes.store(h.column(0, b), after);
      });
    }
    return FrameView<const S>(h.frame(0)).with_starts(x.starts());
  }

 private:
  template <bool keep>
  SequenceView<const S> run(SequenceView<const S> x, State& state, Cache& cache, const Context& context) const {
    const Index features = output_size(), block = block_steps();
    const Tiling tiling(features, x.time(), x.batch());
    const bool divided = tiling.parts() > 1;  // then a second pass reads k
    const SequenceView<S> h = cache.h_.resize(features, x.time(), x.batch(), x);
    const SequenceView<S> kept =
        keep || divided ? cache.kept_.resize(kGates * features, x.time(), x.batch()) : SequenceView<S>();
    const SequenceView<S> product = cache.product_.resize(PackedGates<S, kGates>::kScratch, 1, context.workers());
    const S* reset = initial_row(cache).data();
    cache.packed_.pack(w_, b_);

    // Calls body(lanes, first, steps) for each block of the stretch and each packet of features.
    const auto for_blocks = [&](Stretch s, auto&& body) {
      for (Index first = s.first; first < s.last; first += block) {
        const Index steps = std::min<Index>(block, s.last - first);
        for_lanes<S, kInterleaved>(features, [&](auto lanes) { body(lanes, first, steps); });
      }
    };
    const auto finish = [&](auto lanes, Index t, Index b, auto& k, auto& carried) MINRNN_INLINE_LAMBDA {
      using Op = Operator<typename decltype(lanes)::P>;
      carried = operator_of(k)(x.starts(t, b) ? Op::carried(lanes.load(reset)) : carried);
      lanes.store(h.column(t, b), Op::value(carried));
      if constexpr (keep) store(lanes, k, kept.column(t, b));
    };
    carry_state<Operator>(state.h, cache.carry_);
    run_stretches<Operator>(
        context, tiling, Direction::forward, x.starts(), cache.carry_,
        [&](Stretch s, S* whole_a, S* whole_b) {
          for_blocks(s, [&](auto lanes, Index first, Index steps) {
            using Op = Operator<typename decltype(lanes)::P>;
            Op whole = load_operator<Op>(lanes, whole_a, whole_b, features);
            cache.packed_.for_columns(lanes, x.column(first, s.sequence), steps, product.column(0, s.worker),
                                      [&](Index j, auto k) MINRNN_INLINE_LAMBDA {
                                        using P = typename decltype(lanes)::P;
                                        store(lanes, k, kept.column(first + j, s.sequence));
                                        const Op op = operator_of(k);
                                        if (x.starts(first + j, s.sequence))
                                          whole = {Op::carried(P(S(0))), op(Op::carried(lanes.load(reset)))};
                                        else
                                          whole = whole.then(op);
                                      });
            store_operator(lanes, whole, whole_a, whole_b, features);
          });
        },
        [&](Stretch s, S* row) {
          for_blocks(s, [&](auto lanes, Index first, Index steps) {
            using Op = Operator<typename decltype(lanes)::P>;
            auto carried = load_carried<typename Op::Carried>(lanes, row, features);
            if (divided)
              for (Index t = first; t < first + steps; ++t) {
                auto k = load(lanes, kept.column(t, s.sequence));
                finish(lanes, t, s.sequence, k, carried);
              }
            else
              cache.packed_.for_columns(
                  lanes, x.column(first, s.sequence), steps, product.column(0, s.worker),
                  [&](Index j, auto k) MINRNN_INLINE_LAMBDA {
                    const Index ahead = std::min<Index>(first + j + kAhead, s.last - 1);
                    prefetch_to_write(h.column(ahead, s.sequence) + lanes.offset);
                    if constexpr (keep)
                      for (int gate = 0; gate < kGates; ++gate)
                        prefetch_to_write(kept.column(ahead, s.sequence) + gate * features + lanes.offset);
                    finish(lanes, first + j, s.sequence, k, carried);
                  });
            store_carried(lanes, row, features, carried);
          });
        });
    value_carry<Operator>(cache.carry_, state.h);
    return SequenceView<const S>(h).with_starts(x.starts());
  }

 public:
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    const SequenceView<const S> x = cache.x_, h = cache.h_.view();
    const SequenceView<const S> kept = cache.kept_.view();
    cache.check_backward(Gates::kName, sizes(), dy);
    check_matrix(Gates::kName, "dstate.h", dstate.h, h.features(), h.batch());
    const Index inputs = input_size(), features = output_size(), rows = kGates * features;
    const Index weight = features * inputs, bias_offset = kGates * weight, reset_offset = bias_offset + rows;
    const Index block = block_steps();
    const Tiling tiling(features, h.time(), h.batch(), Tiling::most_for_sums(reset_offset + features));
    const SequenceView<S> dx = cache.dx_.resize(inputs, h.time(), h.batch(), dy, x);
    const SequenceView<S> scratch = cache.block_.resize(rows, block, context.workers());
    const SequenceView<S> product = cache.product_.resize(kOuterScratch<S>, 1, context.workers());
    cache.gradients_.reset(reset_offset + features, tiling.count(), context);
    cache.transposed_.resize(inputs, rows);
    for (int gate = 0; gate < kGates; ++gate) cache.transposed_.set_transposed(gate * features, w_[gate].value);
    const SequenceView<S> initial = initial_row(cache);
    // What is read after the block that begins at `first`: the block before it, or the next sequence.
    const auto of_next_block = [&](Stretch s, Index first) {
      Prefetcher<S> ahead;
      const bool same = first > s.first;
      const Index sequence = same ? s.sequence : s.sequence + 1, last = same ? first : s.last;
      if (sequence < h.batch())
        for (const auto& view : {x, dy, h, kept})
          ahead.add(view.column(std::max<Index>(s.first, last - block), sequence),
                    view.column(last - 1, sequence) + view.features());
      return ahead;
    };

    run_stretches<Affine>(
        context, tiling, Direction::backward, x.starts(), dstate.h,
        [&](Stretch s, S* whole_a, S* whole_b) {
          for (Index t = s.last - 1; t >= s.first; --t) {
            const bool start = x.starts(t, s.sequence);
            for_lanes<S, kInterleaved>(features, [&](auto lanes) {
              using P = typename decltype(lanes)::P;
              const P a = Gates::decay(load(lanes, kept.column(t, s.sequence))), zero(S(0));
              const Affine<P> next{a, a * lanes.load(dy.column(t, s.sequence))};
              compose(lanes, start ? Affine<P>{zero, zero} : next, start, whole_a, whole_b, features);
            });
          }
        },
        [&](Stretch s, S* row) {  // dL/dh_t from the steps after t
          S* sums = cache.gradients_.tile(s.tile);
          S* dpre = scratch.column(0, s.worker);
          for (Index last = s.last; last > s.first;) {
            const Index first = std::max<Index>(s.first, last - block), steps = last - first;
            for_lanes<S, kInterleaved>(features, [&](auto lanes) {
              using P = typename decltype(lanes)::P;
              P carried = lanes.load(row);
              Values<P> db = load(lanes, sums + bias_offset);
              for (Index t = last - 1; t >= first; --t) {
                const bool start = x.starts(t, s.sequence);
                const S* before = start   ? initial.data()
                                  : t > 0 ? h.column(t - 1, s.sequence)
                                          : cache.first_.col(s.sequence).data();
                const P delta = lanes.load(dy.column(t, s.sequence)) + carried;
                Values<P> d;
                const P a = Gates::backward(load(lanes, kept.column(t, s.sequence)), lanes.load(before), delta, d);
                carried = a * delta;
                store(lanes, d, dpre + (t - first) * rows);
                unroll<kGates>([&](auto gate) { db[gate] = db[gate] + d[gate]; });
                if (start) {
                  S* reset = sums + reset_offset;
                  lanes.store(reset, lanes.load(reset) + carried);
                  carried = P(S(0));
                }
              }
              store(lanes, db, sums + bias_offset);
              lanes.store(row, carried);
            });
            Prefetcher<S> ahead = of_next_block(s, first);
            for (int gate = 0; gate < kGates; ++gate)
              add_outer_product(dpre + gate * features, rows, x.column(first, s.sequence), inputs, steps,
                                sums + gate * weight, features, inputs, product.column(0, s.worker), &ahead);
            cache.transposed_.multiply(dpre, rows, steps, nullptr, dx.column(first, s.sequence), inputs, &ahead);
            last = first;
          }
        });

    for (int gate = 0; gate < kGates; ++gate) {
      cache.gradients_.add_to(gate * weight, w_[gate].grad, context);
      cache.gradients_.add_to(bias_offset + gate * features, b_[gate].grad, context);
    }
    if (learns_initial_state()) {
      Matrix<S> d_initial = Matrix<S>::Zero(features, 1);
      cache.gradients_.add_to(reset_offset, d_initial, context);
      for (Index b = 0; b < h.batch(); ++b)
        if (std::equal(initial.data(), initial.data() + features, cache.first_.col(b).data()))
          d_initial += dstate.h.col(b);
      for_lanes<S>(features, [&](auto lanes) {
        const Packet<S> slope = Gates::slope(Gates::candidate(lanes.load(h_0_.value.data())));
        S* grad = h_0_.grad.data();
        lanes.store(grad, fma(slope, lanes.load(d_initial.data()), lanes.load(grad)));
      });
    }
    return dx;
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    for (int gate = 0; gate < kGates; ++gate) {
      visitor(scope / Gates::kWeights[gate], self.w_[gate]);
      visitor(scope / Gates::kBiases[gate], self.b_[gate]);
    }
    if (self.learns_initial_state()) visitor(scope / "h_0", self.h_0_);
  }

  /// The weight (H, F) and the bias (H) of one gate, in the order of the layer's equations.
  const Matrix<S>& weight(int gate) const { return w_[gate].value; }
  const Matrix<S>& bias(int gate) const { return b_[gate].value; }
  bool learns_initial_state() const { return h_0_.size() > 0; }

 protected:
  /// Weights and biases uniform in +-1 / sqrt(F), as torch.nn.Linear; h_0 normal.
  GatedScan(Index inputs, Index features, Random& random, const MinimalOptions& options) {
    check_size(Gates::kName, "inputs", inputs);
    check_size(Gates::kName, "features", features);
    check(std::isfinite(options.forget_bias), Gates::kName, "forget_bias", "a finite number", options.forget_bias);
    const double limit = 1 / std::sqrt(static_cast<double>(inputs));
    for (int gate = 0; gate < kGates; ++gate) {
      w_[gate] = Parameter<S>(features, inputs);
      b_[gate] = Parameter<S>(features);
      fill_symmetric(w_[gate].value, random, limit);
      fill_symmetric(b_[gate].value, random, limit);
      b_[gate].value.array() += static_cast<S>(Gates::kForgetBias[gate] * options.forget_bias);
    }
    if (options.learn_initial_state) {
      h_0_ = Parameter<S>(features);
      fill_normal(h_0_.value, random, 1);
    }
  }

 private:
  /// A block of k, x and h of about 256 KiB in float; fewer columns than 96 would make the product slower.
  Index block_steps() const {
    return std::clamp<Index>(65536 / ((kGates + 1) * output_size() + input_size()), 96, 512);
  }

  CacheBase::Sizes sizes() const { return {input_size(), output_size()}; }

  void check_argument(SequenceView<const S> x, const State& state) const {
    check_input(Gates::kName, x, input_size());
    check_matrix(Gates::kName, "state.h", state.h, output_size(), x.batch());
    if constexpr (kLogSpace)
      check(!(state.h.array() < S(0)).any(), Gates::kName, "state.h", "no negative element in log-space arithmetic",
            "one");
  }

  template <class Lanes>
  MINRNN_INLINE auto load(Lanes lanes, const S* of_gates) const {
    Values<typename Lanes::P> values;
    unroll<kGates>([&](auto gate) { values[gate] = lanes.load(of_gates + gate * output_size()); });
    return values;
  }
  template <class Lanes>
  MINRNN_INLINE void store(Lanes lanes, const Values<typename Lanes::P>& values, S* of_gates) const {
    unroll<kGates>([&](auto gate) { lanes.store(of_gates + gate * output_size(), values[gate]); });
  }

  /// One step of what is carried; k becomes what backward needs.
  template <class P>
  MINRNN_INLINE static Operator<P> operator_of(Values<P>& k) {
    const auto [decay, input] = Gates::forward(k);
    return {decay, input};
  }

  /// h_0 (H): the state at a start.
  SequenceView<S> initial_row(Cache& cache) const {
    const SequenceView<S> row = cache.reset_.resize(output_size(), 1, 1);
    for_lanes<S>(output_size(), [&](auto lanes) {
      lanes.store(row.data(),
                  learns_initial_state() ? Gates::candidate(lanes.load(h_0_.value.data())) : Packet<S>(S(0)));
    });
    return row;
  }
  detail::Array<Parameter<S>, kGates> w_, b_;  // (H, F), (H) per gate
  Parameter<S> h_0_;                           // (H), or empty
};

}  // namespace detail
}  // namespace minrnn
