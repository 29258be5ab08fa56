// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "minrnn/attention/attend_once.hpp"
#include "minrnn/attention/attention_head.hpp"
#include "minrnn/attention/key_ring.hpp"
#include "minrnn/attention/rotary.hpp"
#include "minrnn/attention/score_unit.hpp"
#include "minrnn/attention/sliding_window.hpp"
#include "minrnn/attention/tile_products.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn::detail {

/// All heads of attention, each over the rows of its own.
///
/// Equations   with R(t) the rotation by position t, for each head:
///             o = AttentionHead(R(t) q_t / sqrt(E), R(j) k_j, v_j)
/// Shapes      qkv (3 heads E, T, B), rows q, k, v, head after head; o (heads E, T, B)
/// Gradient    of each head by `AttentionHead`; dq = R(-t) dq' / sqrt(E),  dk = R(-j) dk'
/// Threads     each has tiles, which are heads of sequences
template <class S>
class MultiHead {
  using Head = AttentionHead<S>;
  using Ring = KeyRing<S>;
  using Turn = typename Rotary<S>::Turn;

 public:
  using State = AttentionState<S>;

  /// Of one call, for its backward, and scratch.
  class Memory {
    friend MultiHead;
    SlidingWindow::Frames frames_;
    typename Rotary<S>::Table turns_;
    Sequence<S> q_;        // (padded E, T, heads B), turned and scaled
    Sequence<S> k_, v_;    // (padded E, earlier + T, heads B), k turned
    Sequence<S> o_;        // (heads E, T, B)
    Sequence<S> most_;     // (3, 1, heads B) the largest magnitudes of q, k and v, 0 where one is not finite
    Sequence<S> softmax_;  // (T, 3, heads B): the unit that q is divided by, the largest score, its probability
    Sequence<S> dqkv_;     // (3 heads E, T, B)
    Sequence<S> scratch_;  // of each worker
  };

  MultiHead(Index heads, Index head_size, Index window, double base)
      : heads_(heads), head_size_(head_size), window_(window, Rotary<S>::kTurn), rotary_(head_size, base) {}

  Index heads() const { return heads_; }
  Index head_size() const { return head_size_; }
  Index inner() const { return heads_ * head_size_; }
  const SlidingWindow& window() const { return window_; }

  /// o, and the state after the last frame. x (F, T, B) for its starts.
  SequenceView<const S> forward(SequenceView<const S> x, SequenceView<const S> qkv, State& state, Memory& memory,
                                const Context& context) const {
    memory.frames_.fill(window_, x, FrameView<const S>(state.position));
    memory.turns_.fill(rotary_, memory.frames_.least_position(), x.time(), context);
    resize(memory);
    const SequenceView<S> o = memory.o_.resize(inner(), x.time(), x.batch()), scratch = scratch_of(memory, context);
    parallel_for(context, tiles(memory), work(x), [&](Index tile, Index worker) {
      forward_head(tile, qkv, ring_of(state, tile), memory, scratch.column(0, worker));
    });
    if (x.time() > 0)
      for (Index b = 0; b < x.batch(); ++b)
        state.position(0, b) = static_cast<S>(window_.next(memory.frames_.positions(b)[x.time() - 1]));
    return o;
  }

  /// dqkv from d_o; dstate goes from after the call to before it.
  SequenceView<const S> backward(SequenceView<const S> d_o, State& dstate, Memory& memory,
                                 const Context& context) const {
    const SequenceView<S> dqkv = memory.dqkv_.resize(3 * inner(), d_o.time(), d_o.batch());
    const SequenceView<S> scratch = scratch_of(memory, context);
    if (d_o.time() > 0) dstate.position.setZero();  // a count, not to be differentiated by
    parallel_for(context, tiles(memory), 2 * work(d_o), [&](Index tile, Index worker) {
      backward_head(tile, d_o, ring_of(dstate, tile), memory, scratch.column(0, worker));
    });
    return dqkv;
  }

  /// forward for T = 1, without a tile and with nothing kept.
  FrameView<const S> step(FrameView<const S> x, FrameView<const S> qkv, State& state, Memory& memory,
                          const Context& context) const {
    const SequenceView<S> o = memory.o_.resize(inner(), 1, x.batch());
    const SequenceView<S> scratch = memory.scratch_.resize(2 * head_size_ + window_.frames(), 1, context.workers());
    const auto of_sequence = [&](Index b, Index worker) {
      step_one(qkv.row(b), x.starts()(0, b), state, b, scratch.row(0, worker), o.row(0, b));
    };
    parallel_for(context, x.batch(), work(x.sequence()), of_sequence);
    return o.frame(0);
  }

 private:
  S scale() const { return 1 / std::sqrt(static_cast<S>(head_size_)); }
  /// The multiply-adds of all scores and of o.
  double work(SequenceView<const S> x) const {
    return 2.0 * static_cast<double>(inner() * window_.frames()) * static_cast<double>(x.time() * x.batch());
  }

  /// q, k and v of one head of one sequence.
  template <class T>
  struct Parts {
    Columns<T> q, k, v;
  };

  /// o of one head of one sequence, whose ring goes from before the call to after it.
  void forward_head(Index tile, SequenceView<const S> qkv, const Ring& ring, Memory& memory, S* scratch) const {
    const auto& frames = memory.frames_;
    const Index b = tile / heads_, earlier = frames.earlier();
    const Parts<const S> x = parts_of(qkv, tile);
    const auto [q, k, v] = turned_parts(memory, tile);
    clear_padding(memory, tile);
    ring.read(frames, b, k, v);
    for (Index t = 0; t < q.count; ++t) {
      const Row<const S> turns = memory.turns_.at(rotary_, frames.positions(b)[t], Row<S>(scratch));
      rotary_.rotate(x.q[t], turns, scale(), Turn::forth, q[t]);
      rotary_.rotate(x.k[t], turns, S(1), Turn::forth, k[earlier + t]);
      std::copy_n(x.v[t].data, head_size_, v[earlier + t].data);
    }
    ring.write(frames, b, k, v);
    find_units(memory, tile);
    head_of(memory, tile).forward(scratch, rows_of(memory.o_.view(), tile));
  }
  void clear_padding(Memory& memory, Index tile) const {
    const Index padding = padded<S>(head_size_) - head_size_;
    if (padding == 0) return;
    for (Sequence<S>* block : {&memory.q_, &memory.k_, &memory.v_})
      for (Index t = 0; t < block->time(); ++t) std::fill_n(block->view().column(t, tile) + head_size_, padding, S(0));
  }
  /// The largest magnitudes of q, k and v, and the units of the queries.
  void find_units(Memory& memory, Index tile) const {
    S* most = memory.most_.view().column(0, tile);
    S* units = memory.softmax_.view().column(0, tile);
    // All columns at once: they stand side by side, zeros between them.
    const auto largest = [&](const Sequence<S>& block) {
      return largest_if_finite(block.features() * block.time(), block.view().row(0, tile));
    };
    most[0] = largest(memory.q_);
    most[1] = largest(memory.k_);
    most[2] = largest(memory.v_);
    if (most[0] > S(0) && most[1] > S(0) && score_unit(head_size_, most[0], most[1]) == S(1))
      std::fill_n(units, memory.q_.time(), S(1));
    else
      divide_by_units<S>(turned_parts(memory, tile).q, turned_parts(memory, tile).k, units);
  }

  /// dqkv of one head of one sequence; dring goes from after the call to before it.
  void backward_head(Index tile, SequenceView<const S> d_o, const Ring& dring, Memory& memory, S* scratch) const {
    const auto& frames = memory.frames_;
    const Index b = tile / heads_;
    const Parts<S> dx = parts_of(memory.dqkv_.view(), tile);
    const auto turns_at = [&](Index t) { return memory.turns_.at(rotary_, frames.positions(b)[t], Row<S>(scratch)); };
    const auto write_key = [&](Index key, Row<S> dk_j, Row<S> dv_j) {
      dring.adjoint(frames, b, key, dk_j, dv_j);
      const Index t = key - frames.earlier();
      if (t < 0) return;  // of a frame before the call
      rotary_.rotate(dk_j, turns_at(t), S(1), Turn::back, dx.k[t]);
      std::copy_n(dv_j.data, head_size_, dx.v[t].data);
    };
    const auto write_query = [&](Index t, Row<const S> dq_t) {
      rotary_.rotate(dq_t, turns_at(t), scale(), Turn::back, dx.q[t]);
    };
    const Columns<const S> o = rows_of(memory.o_.view(), tile);
    head_of(memory, tile).backward(scratch + head_size_, o, rows_of(d_o, tile), write_key, write_query);
  }

  /// One frame of one sequence: its key and value into the ring, then attention over the ring. scratch: (2 E + window).
  void step_one(Row<const S> qkv, bool start, State& state, Index b, Row<S> scratch, Row<S> o) const {
    const Index position = start ? 0 : window_.position_of(state.position(0, b)), before = window_.before(position);
    const Row<S> turns = scratch, q = turns.from(head_size_), weights = q.from(head_size_);
    rotary_.turns_of(position, turns);
    for (Index head = 0; head < heads_; ++head) {
      const Ring ring = ring_of(state, b * heads_ + head);
      const Row<const S> q_of_x = qkv.from(head * head_size_), k_of_x = q_of_x.from(inner()),
                         v_of_x = k_of_x.from(inner());
      if (start) ring.clear();
      rotary_.rotate(q_of_x, turns, scale(), Turn::forth, q);
      rotary_.rotate(k_of_x, turns, S(1), Turn::forth, ring.key(position));
      std::copy_n(v_of_x.data, head_size_, ring.value(position).data);
      attend_once<S>(q, ring, position - before, before + 1, weights, o.from(head * head_size_));
    }
    state.position(0, b) = static_cast<S>(window_.next(position));
  }

  /// A tile is one head of one sequence; there are none without a frame.
  Index tiles(const Memory& memory) const { return memory.frames_.time() > 0 ? heads_ * memory.frames_.batch() : 0; }
  Ring ring_of(State& state, Index tile) const {
    const auto columns = [&](Matrix<S>& matrix) {
      S* first = matrix.col(tile / heads_).data() + tile % heads_ * head_size_;
      return Columns<S>(first, head_size_, window_.ring(), inner());
    };
    return {window_, columns(state.keys), columns(state.values)};
  }
  /// The rows of a head in a block (heads E, T, B), or in the part of (3 heads E, T, B) that begins at a row.
  template <class T>
  Columns<T> rows_of(SequenceView<T> view, Index tile, Index first = 0) const {
    return view.columns(0, view.time(), tile / heads_).features(first + tile % heads_ * head_size_, head_size_);
  }
  template <class T>
  Parts<T> parts_of(SequenceView<T> qkv, Index tile) const {
    return {rows_of(qkv, tile), rows_of(qkv, tile, inner()), rows_of(qkv, tile, 2 * inner())};
  }
  Parts<S> turned_parts(Memory& memory, Index tile) const {
    const auto part = [&](Sequence<S>& block) {
      return block.view().columns(0, block.time(), tile).features(0, head_size_);
    };
    return {part(memory.q_), part(memory.k_), part(memory.v_)};
  }
  Head head_of(Memory& memory, Index tile) const {
    const auto [q, k, v] = turned_parts(memory, tile);
    const SequenceView<S> softmax = memory.softmax_.view();
    const S* most = memory.most_.view().column(0, tile);
    return {q,
            k,
            v,
            {memory.frames_.first_keys(tile / heads_), memory.frames_.earlier()},
            {softmax.column(0, tile), softmax.column(1, tile), softmax.column(2, tile)},
            most[0],
            most[1],
            most[2]};
  }
  void resize(Memory& memory) const {
    const Index time = memory.frames_.time(), all = heads_ * memory.frames_.batch();
    memory.q_.resize(padded<S>(head_size_), time, all);
    for (Sequence<S>* block : {&memory.k_, &memory.v_})
      block->resize(padded<S>(head_size_), memory.frames_.earlier() + time, all);
    memory.most_.resize(3, 1, all);
    memory.softmax_.resize(time, 3, all);
  }
  /// Of each worker: the turns of one position, and what a head needs.
  SequenceView<S> scratch_of(Memory& memory, const Context& context) const {
    const Index time = memory.frames_.time(), keys = memory.frames_.earlier() + time;
    return memory.scratch_.resize(head_size_ + Head::scratch_size(head_size_, time, keys), 1, context.workers());
  }

  Index heads_, head_size_;
  SlidingWindow window_;
  Rotary<S> rotary_;
};

}  // namespace minrnn::detail
