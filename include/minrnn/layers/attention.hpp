// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/attention/attention_head.hpp"
#include "minrnn/attention/rotary.hpp"
#include "minrnn/attention/sliding_window.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/layers/linear.hpp"

namespace minrnn {

struct AttentionOptions {
  Index head_size = 0;  // features of a head, even; 0: features / heads
  Index window = 1024;  // frames that an output sees, its own included
  double base = 10000;  // of the rotary frequencies
};

/// Causal multi-head self-attention over a window, with rotary positions.
///
/// Equations   (q, k, v) = W_qkv x;  for each head of E features, with R(t) the rotation by position t:
///             s_tj = <R(t) q_t, R(j) k_j> / sqrt(E) for the keys j of the last `window` frames since the last start;
///             p_t = softmax(s_t);  o_t = sum_j p_tj v_j;  y = W_out o
///             R(t) turns the pair (e, e + E/2) by the angle t base^(-2 e / E)
/// Shapes      x, y (F, T, B); q, k, v, o (heads E, T, B); qkv/w (3 heads E, F), rows q, k, v, head after head;
///             out/w (F, heads E); state: keys, turned, and values (heads E R, B), a ring of R = window rounded up to a
///             power of two frames, and position (1, B), frames since the last start
/// Positions   rotary: a score depends on the distance alone, so a window may slide for ever, and nothing is learned
///             that a longer text would lack, as learned positions are. Frequencies are rounded to whole turns in 2^20
///             frames: so positions count modulo 2^20 and a stream has no end
/// Gradient    `AttentionHead`, tiles computed again; dq, dk turned back
/// Parameters  qkv, out; as Linear at first, without biases
/// Memory      kept for backward: 7 heads E + 3 heads scalars per step. Scratch of a thread grows with T
/// Threads     each has heads of sequences
/// Throws      std::invalid_argument for a size below 1, an odd head size, a window above 2^19, a wrong shape
/// Source      Vaswani et al. 2017, "Attention is all you need"; Su et al. 2021, "RoFormer"; Dao et al. 2022
template <class S>
class Attention {
  using Head = detail::AttentionHead<S>;
  using Rotary = detail::Rotary<S>;
  using Turn = typename Rotary::Turn;

 public:
  using Scalar = S;
  static constexpr bool kProjects = true;  // brings the projections of its block with it

  struct State {
    Matrix<S> keys, values;  // (heads E R, B): the frame of position p stands at p modulo R
    Matrix<S> position;      // (1, B)

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "keys", self.keys);
      visitor(scope / "values", self.values);
      visitor(scope / "position", self.position);
    }
  };

  class Cache : public CacheBase {
    friend Attention;
    typename Linear<S>::Cache qkv_, out_;
    LastResult<S> result_;
    detail::SlidingWindow::Frames frames_;
    typename Rotary::Table turns_;
    Sequence<S> q_;        // (padded E, T, heads B), turned and scaled
    Sequence<S> k_, v_;    // (padded E, earlier + T, heads B), k turned
    Sequence<S> o_;        // (heads E, T, B)
    Sequence<S> most_;     // (3, 1, heads B) the largest magnitudes of q, k and v, 0 where one is not finite
    Sequence<S> softmax_;  // (T, 3, heads B): the unit that q is divided by, the largest score, its probability
    Sequence<S> dqkv_;     // (3 heads E, T, B)
    Sequence<S> scratch_;  // of each worker
  };

  Attention(Index features, Index heads, Random& random, const AttentionOptions& options = {})
      : Attention(features, heads, checked(features, heads, options), random) {}

  Index input_size() const { return qkv_.input_size(); }
  Index output_size() const { return qkv_.input_size(); }

  State initial_state(Index batch) const {
    detail::check_batch("Attention", batch);
    return {Matrix<S>::Zero(inner() * window_.ring(), batch), Matrix<S>::Zero(inner() * window_.ring(), batch),
            Matrix<S>::Zero(1, batch)};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    x = cache.result_.keep(x);
    NoState none;
    const SequenceView<const S> qkv = qkv_.forward(x, none, cache.qkv_, context);
    cache.frames_.fill(window_, x, FrameView<const S>(state.position));
    cache.turns_.fill(rotary_, cache.frames_.least_position(), x.time(), context);
    turn(qkv, state, cache, context);
    keep_last(state, cache, context);
    const SequenceView<S> o = cache.o_.resize(inner(), x.time(), x.batch());
    const SequenceView<S> softmax = cache.softmax_.view();
    const SequenceView<S> scratch = scratch_of(cache, context);
    parallel_for(context, x.time() > 0 ? heads_ * x.batch() : 0, [&](Index tile, Index worker) {
      const Index b = tile / heads_, head = tile % heads_;
      head_of(cache, tile)
          .forward(scratch.column(0, worker), o.column(0, b) + head * head_size_, inner(), softmax.column(1, tile),
                   softmax.column(2, tile));
    });
    const SequenceView<const S> y = out_.forward(o, none, cache.out_, context);
    cache.keep(sizes(), x.time(), x.batch());
    return cache.result_.note(y).with_starts(x.starts());
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    if (x.time() == 1) return step(x.frame(0), state, cache, context).sequence();
    const SequenceView<const S> y = forward(x, state, cache, context);
    cache.forget();
    return y;
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    check_argument(x.sequence(), state);
    cache.forget();
    NoState none;
    const FrameView<const S> qkv = qkv_.step(x, none, cache.qkv_, context);
    const SequenceView<S> o = cache.o_.resize(inner(), 1, x.batch());
    const SequenceView<S> scratch = cache.scratch_.resize(2 * head_size_ + window_.frames(), 1, context.workers());
    const auto of_sequence = [&](Index b, Index worker) {
      step_one(qkv.column(b), x.starts()(0, b), state, b, scratch.column(0, worker), o.column(0, b));
    };
    if (x.batch() == 1)
      of_sequence(0, 0);
    else
      parallel_for(context, x.batch(), of_sequence);
    return cache.result_.note(out_.step(o.frame(0), none, cache.out_, context)).with_starts(x.starts());
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("Attention", sizes(), dy);
    const SequenceView<const S> o = cache.o_.view(), softmax = cache.softmax_.view();
    const Index time = o.time(), batch = o.batch();
    const auto& frames = cache.frames_;
    check_state("dstate.keys", "dstate.values", "dstate.position", dstate, batch);
    NoState none;
    const SequenceView<const S> d_o = out_.backward(dy, none, cache.out_, context);
    const SequenceView<S> dqkv = cache.dqkv_.resize(3 * inner(), time, batch);
    const SequenceView<S> scratch = scratch_of(cache, context);
    if (time > 0) dstate.position.setZero();  // a count, not to be differentiated by
    parallel_for(context, time > 0 ? heads_ * batch : 0, [&](Index tile, Index worker) {
      const Index b = tile / heads_, row = tile % heads_ * head_size_;
      const auto& entry = frames.entry(b);
      const std::int32_t* position = frames.positions(b);
      const auto slot_of = [&](Matrix<S>& ring_of, Index p) { return ring_of.col(b).data() + slot(p) + row; };
      const auto turns_at = [&](Index t) { return cache.turns_.at(rotary_, position[t], scratch.column(0, worker)); };
      // A slot of the final state belongs to the last frame that wrote it: frames from the last to the first take what
      // is theirs, a start clears the rest, and earlier keys add to what has passed through.
      const auto write_key = [&](Index key, S* dk, S* dv) {
        const Index t = key - frames.earlier();
        if (t < 0) {
          if (-t > entry.earlier) return;
          add(dk, slot_of(dstate.keys, entry.position + t));
          add(dv, slot_of(dstate.values, entry.position + t));
          return;
        }
        if (t >= entry.kept) {
          take(slot_of(dstate.keys, position[t]), dk);
          take(slot_of(dstate.values, position[t]), dv);
        }
        S* to = dqkv.column(t, b) + row;
        rotary_.rotate(dk, turns_at(t), S(1), Turn::back, to + inner());
        std::copy_n(dv, head_size_, to + 2 * inner());
        if (t == 0 && entry.started >= 0)
          for (Index p = 0; p < window_.ring(); ++p)
            for (Matrix<S>* ring_of : {&dstate.keys, &dstate.values})
              std::fill_n(slot_of(*ring_of, p), head_size_, S(0));
      };
      head_of(cache, tile)
          .backward(scratch.column(0, worker) + head_size_, o.column(0, b) + row, d_o.column(0, b) + row, inner(),
                    softmax.column(1, tile), softmax.column(2, tile), write_key, [&](Index t, const S* dq) {
                      rotary_.rotate(dq, turns_at(t), scale(), Turn::back, dqkv.column(t, b) + row);
                    });
    });
    return qkv_.backward(dqkv, none, cache.qkv_, context);
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Linear<S>::visit(self.qkv_, scope / "qkv", visitor);
    Linear<S>::visit(self.out_, scope / "out", visitor);
  }

 private:
  static AttentionOptions checked(Index features, Index heads, AttentionOptions options) {
    detail::check_size("Attention", "features", features);
    detail::check_size("Attention", "heads", heads);
    if (options.head_size == 0) {
      detail::check(
          features % heads == 0, "Attention", "heads",
          [&] { return "a divisor of " + std::to_string(features) + " features"; }, heads);
      options.head_size = features / heads;
    }
    detail::check(options.head_size >= 2 && options.head_size % 2 == 0, "Attention", "head_size", "an even size",
                  options.head_size);
    detail::product_of_sizes("Attention", "heads", heads, options.head_size);
    detail::check(options.window >= 1 && options.window <= Rotary::kTurn / 2, "Attention", "window",
                  "from 1 to 2^19 frames", options.window);
    detail::check(options.base > 1 && std::isfinite(options.base), "Attention", "base", "a finite number above 1",
                  options.base);
    return options;
  }

  Attention(Index features, Index heads, const AttentionOptions& options, Random& random)
      : heads_(heads),
        head_size_(options.head_size),
        qkv_(features, 3 * heads * options.head_size, random, {.bias = false}),
        out_(heads * options.head_size, features, random, {.bias = false}),
        window_(options.window, Rotary::kTurn),
        rotary_(options.head_size, options.base) {}

  CacheBase::Sizes sizes() const { return {input_size(), output_size(), heads_, head_size_, window_.frames()}; }
  Index inner() const { return heads_ * head_size_; }
  /// Where the frame of a position stands in a state.
  Index slot(Index position) const { return window_.place(position) * inner(); }
  S scale() const { return 1 / std::sqrt(static_cast<S>(head_size_)); }

  void check_state(std::string_view keys, std::string_view values, std::string_view position, const State& state,
                   Index batch) const {
    detail::check_matrix("Attention", keys, state.keys, inner() * window_.ring(), batch);
    detail::check_matrix("Attention", values, state.values, inner() * window_.ring(), batch);
    detail::check_matrix("Attention", position, state.position, 1, batch);
  }
  void check_argument(SequenceView<const S> x, const State& state) const {
    detail::check_input("Attention", x, input_size());
    check_state("state.keys", "state.values", "state.position", state, x.batch());
  }

  void add(const S* from, S* to) const {
    for_lanes<S>(head_size_, [&](auto lanes) { lanes.store(to, lanes.load(to) + lanes.load(from)); });
  }
  /// to += from; from = 0.
  void take(S* from, S* to) const {
    add(from, to);
    std::fill_n(from, head_size_, S(0));
  }

  /// q, k and v by heads, turned; before them the earlier keys and values from the state.
  void turn(SequenceView<const S> qkv, const State& state, Cache& cache, const Context& context) const {
    const auto& frames = cache.frames_;
    const Index time = qkv.time(), batch = qkv.batch(), earlier = frames.earlier(), padded = Head::padded(head_size_);
    const SequenceView<S> q = cache.q_.resize(padded, time, heads_ * batch);
    const SequenceView<S> k = cache.k_.resize(padded, earlier + time, heads_ * batch);
    const SequenceView<S> v = cache.v_.resize(padded, earlier + time, heads_ * batch);
    const SequenceView<S> scratch = scratch_of(cache, context), most = cache.most_.resize(3, 1, heads_ * batch),
                          softmax = cache.softmax_.resize(time, 3, heads_ * batch);
    parallel_for(context, heads_ * batch, [&](Index tile, Index worker) {
      const Index b = tile / heads_, row = tile % heads_ * head_size_;
      const auto& entry = frames.entry(b);
      const std::int32_t* position = frames.positions(b);
      for (const auto& view : {q, k, v})
        for (Index t = 0; t < view.time(); ++t)
          std::fill_n(view.column(t, tile) + head_size_, padded - head_size_, S(0));
      for (Index j = 1; j <= earlier; ++j) {
        const auto copy = [&](const Matrix<S>& from, S* to) {
          if (j <= entry.earlier)
            std::copy_n(from.col(b).data() + slot(entry.position - j) + row, head_size_, to);
          else
            std::fill_n(to, head_size_, S(0));
        };
        copy(state.keys, k.column(earlier - j, tile));
        copy(state.values, v.column(earlier - j, tile));
      }
      for (Index t = 0; t < time; ++t) {
        const S* from = qkv.column(t, b) + row;
        const S* turns = cache.turns_.at(rotary_, position[t], scratch.column(0, worker));
        rotary_.rotate(from, turns, scale(), Turn::forth, q.column(t, tile));
        rotary_.rotate(from + inner(), turns, S(1), Turn::forth, k.column(earlier + t, tile));
        std::copy_n(from + 2 * inner(), head_size_, v.column(earlier + t, tile));
      }
      S* units = softmax.column(0, tile);
      std::fill_n(units, time, S(1));
      // Almost always all at once: the columns stand side by side, zeros between them.
      S* most_of = most.column(0, tile);
      Index i = 0;
      for (const auto& view : {q, k, v}) most_of[i++] = Head::largest_of(padded * view.time(), view.column(0, tile));
      if (most_of[0] > S(0) && most_of[1] > S(0) && Head::unit_of(head_size_, most_of[0], most_of[1]) == S(1)) return;
      S most_of_keys = 0;
      for (Index j = 0; j < earlier + time; ++j)
        most_of_keys = std::max<S>(most_of_keys, Head::largest_of(head_size_, k.column(j, tile)));
      for (Index t = 0; t < time; ++t) {
        S* query = q.column(t, tile);
        units[t] = Head::unit_of(head_size_, Head::largest_of(head_size_, query), most_of_keys);
        if (units[t] != S(1))
          for (Index e = 0; e < head_size_; ++e) query[e] /= units[t];
      }
    });
  }

  /// The state after the last frame.
  void keep_last(State& state, const Cache& cache, const Context& context) const {
    const auto& frames = cache.frames_;
    const Index time = frames.time(), earlier = frames.earlier();
    if (time == 0) return;
    parallel_for(context, frames.batch(), [&](Index b, Index) {
      const std::int32_t* position = frames.positions(b);
      if (frames.entry(b).started >= 0) clear(state, b);
      for (Index t = frames.entry(b).kept; t < time; ++t)
        for (Index head = 0; head < heads_; ++head) {
          const Index to = slot(position[t]) + head * head_size_, tile = b * heads_ + head;
          std::copy_n(cache.k_.view().column(earlier + t, tile), head_size_, state.keys.col(b).data() + to);
          std::copy_n(cache.v_.view().column(earlier + t, tile), head_size_, state.values.col(b).data() + to);
        }
      state.position(0, b) = static_cast<S>(window_.next(position[time - 1]));
    });
  }
  static void clear(State& state, Index b) {
    state.keys.col(b).setZero();
    state.values.col(b).setZero();
  }

  Head head_of(const Cache& cache, Index tile) const {
    const Index time = cache.q_.view().time();
    const S* most = cache.most_.view().column(0, tile);
    return {head_size_,
            time,
            cache.frames_.earlier(),
            cache.q_.view().column(0, tile),
            cache.k_.view().column(0, tile),
            cache.v_.view().column(0, tile),
            cache.frames_.first_keys(tile / heads_),
            cache.softmax_.view().column(0, tile),
            most[0],
            most[1],
            most[2]};
  }
  /// Of each worker: the turns of one position, and what a head needs.
  SequenceView<S> scratch_of(Cache& cache, const Context& context) const {
    const Index time = cache.frames_.time(), keys = cache.frames_.earlier() + time;
    return cache.scratch_.resize(head_size_ + Head::scratch_size(head_size_, time, keys), 1, context.workers());
  }

  /// One frame of one sequence: its key and value into the ring, then attention over the ring.
  void step_one(const S* qkv, bool start, State& state, Index b, S* scratch, S* o) const {
    if (start) clear(state, b);
    const Index position = start ? 0 : window_.position_of(state.position(0, b)), before = window_.before(position);
    S *turns = scratch, *q = turns + head_size_, *weights = q + head_size_;
    rotary_.turns_of(position, turns);
    for (Index head = 0; head < heads_; ++head) {
      const Index row = head * head_size_;
      S *keys = state.keys.col(b).data() + row, *values = state.values.col(b).data() + row;
      rotary_.rotate(qkv + row, turns, scale(), Turn::forth, q);
      rotary_.rotate(qkv + inner() + row, turns, S(1), Turn::forth, keys + slot(position));
      std::copy_n(qkv + 2 * inner() + row, head_size_, values + slot(position));
      Head::attend_once(
          head_size_, q, keys, values, before + 1, [&](Index i) { return slot(position - before + i); }, weights,
          o + row);
    }
    state.position(0, b) = static_cast<S>(window_.next(position));
  }

  Index heads_, head_size_;
  Linear<S> qkv_, out_;
  detail::SlidingWindow window_;
  Rotary rotary_;
};

}  // namespace minrnn
