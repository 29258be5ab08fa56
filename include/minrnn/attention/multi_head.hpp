// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include "minrnn/attention/attend_once.hpp"
#include "minrnn/attention/attention_head.hpp"
#include "minrnn/attention/head_parts.hpp"
#include "minrnn/attention/key_ring.hpp"
#include "minrnn/attention/query_gradients.hpp"
#include "minrnn/attention/rotary.hpp"
#include "minrnn/attention/sliding_window.hpp"
#include "minrnn/attention/tile_products.hpp"
#include "minrnn/attention/turned_heads.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn::detail {

/// All heads of attention, each over the rows of its own.
///
/// Equations   o = AttentionHead(q', k', v) of each head, with q', k' of `TurnedHeads`
/// Shapes      qkv (3 heads E, T, B), rows q, k, v, head after head; o (heads E, T, B)
/// Threads     each has heads, or where these are few parts of them (`HeadTiles`): then a head is made ready for all of
///             its parts before, and what they found is put together after
template <class S>
class MultiHead {
  using Head = AttentionHead<S>;
  using Ring = KeyRing<S>;

 public:
  using State = AttentionState<S>;

  /// Of one call, for its backward, and scratch.
  class Memory {
    friend MultiHead;
    TurnedHeads<S> turned_;
    Sequence<S> o_;      // (heads E, T, B)
    Sequence<S> dqkv_;   // (3 heads E, T, B)
    Sequence<S> along_;  // (T + 1, 1, heads B): <do, o>, and whether do is tame
    Sequence<S> rows_;   // K^T, or K^T and V^T: of each worker, or of each head that is divided
    QueryGradients<S> dq_;
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
    TurnedHeads<S>& turned = memory.turned_;
    turned.begin(rotary_, window_, heads_, head_size_, x, state, context);
    const HeadTiles tiles(turned.count(), x.time(), context.workers());
    const SequenceView<S> o = memory.o_.resize(inner(), x.time(), x.batch()), scratch = scratch_of(memory, context);
    const SequenceView<S> rows = memory.rows_.resize(rows_size(memory), 1, tiles.places());
    const auto attend = [&](Index head, HeadPart part, Index place, Index worker) {
      const TransposedColumns<S> k_rows(rows.column(0, place), head_size_);
      turned.head(head).forward(part, k_rows, scratch.column(0, worker), rows_of(o, head));
    };
    parallel_for(context, tiles.heads(), tiles.divided() ? turning(x) : work(memory), [&](Index head, Index worker) {
      const Index place = tiles.divided() ? head : worker;
      turned.take(rotary_, head, qkv, ring_of(state, head), scratch.column(0, worker));
      TransposedColumns<S>(rows.column(0, place), head_size_).fill(turned.head(head).k);
      if (!tiles.divided()) attend(head, {}, place, worker);
    });
    if (tiles.divided())
      parallel_for(context, tiles.count(), work(memory), [&](Index tile, Index worker) {
        attend(tiles.head(tile), tiles.part(tile), tiles.head(tile), worker);
      });
    if (x.time() > 0)
      for (Index b = 0; b < x.batch(); ++b)
        state.position(0, b) = static_cast<S>(window_.next(turned.frames().positions(b)[x.time() - 1]));
    return o;
  }

  /// dqkv from d_o; dstate goes from after the call to before it.
  SequenceView<const S> backward(SequenceView<const S> d_o, State& dstate, Memory& memory,
                                 const Context& context) const {
    const HeadTiles tiles(memory.turned_.count(), d_o.time(), context.workers());
    const Index time = d_o.time(), places = tiles.places();
    const SequenceView<S> dqkv = memory.dqkv_.resize(3 * inner(), time, d_o.batch());
    memory.along_.resize(time + 1, 1, memory.turned_.count());
    memory.rows_.resize(2 * rows_size(memory), 1, places);
    memory.dq_.resize(padded<S>(head_size_), time, places, tiles.own_places());
    scratch_of(memory, context);
    if (time > 0) dstate.position.setZero();  // a count, not to be differentiated by
    if (tiles.divided())
      divided_backward(tiles, d_o, dstate, memory, context);
    else
      parallel_for(context, tiles.heads(), 2 * work(memory), [&](Index head, Index worker) {
        prepare_backward(head, worker, d_o, memory);
        whole_backward(tiles, head, worker, d_o, ring_of(dstate, head), memory);
      });
    return dqkv;
  }

 private:
  void prepare_backward(Index head, Index place, SequenceView<const S> d_o, Memory& memory) const {
    const Head turned = memory.turned_.head(head);
    const auto [k_rows, v_rows] = both_rows(memory, place);
    k_rows.fill(turned.k);
    v_rows.fill(turned.v);
    S* along = memory.along_.view().column(0, head);
    along[d_o.time()] = turned.project(rows_of(memory.o_.view(), head), rows_of(d_o, head), along) ? S(1) : S(0);
    memory.dq_.clear(place);
  }

  /// Part after part of a head, the last one first; each key and query is put back at once.
  void whole_backward(const HeadTiles& tiles, Index head, Index worker, SequenceView<const S> d_o, const Ring& dring,
                      Memory& memory) const {
    for (Index part = tiles.parts(); part-- > 0;) {
      const Place place{head, {part, tiles.parts()}, worker, worker, worker};
      part_backward(place, d_o, memory, [&](Index key, Row<S> dk, Row<S> dv) {
        memory.turned_.put_key(rotary_, head, key, dk, dv, dring, memory.dqkv_.view(), turns_of(worker, memory));
      });
      add_part(place, memory);
    }
    put_queries(head, worker, worker, memory);
  }

  /// Parts leave dk and dv of their keys where dqkv will have them, and a dq of these keys alone.
  void divided_backward(const HeadTiles& tiles, SequenceView<const S> d_o, State& dstate, Memory& memory,
                        const Context& context) const {
    TurnedHeads<S>& turned = memory.turned_;
    const SequenceView<S> dqkv = memory.dqkv_.view();
    turned.keep_earlier();
    parallel_for(context, tiles.heads(), turning(d_o),
                 [&](Index head, Index) { prepare_backward(head, head, d_o, memory); });
    parallel_for(context, tiles.count(), 2 * work(memory), [&](Index tile, Index worker) {
      const Index head = tiles.head(tile);
      part_backward({head, tiles.part(tile), head, tile, worker}, d_o, memory, [&](Index key, Row<S> dk, Row<S> dv) {
        const auto [dk_to, dv_to] = turned.places_of_key(head, key, dqkv);
        std::copy_n(dk.data, head_size_, dk_to.data);
        std::copy_n(dv.data, head_size_, dv_to.data);
      });
    });
    parallel_for(context, tiles.heads(), turning(d_o), [&](Index head, Index worker) {
      for (Index key = turned.keys(); key-- > 0;) {
        const auto [dk, dv] = turned.places_of_key(head, key, dqkv);
        turned.put_key(rotary_, head, key, dk, dv, ring_of(dstate, head), dqkv, turns_of(worker, memory));
      }
      for (Index part = tiles.parts(); part-- > 0;)
        add_part({head, {part, tiles.parts()}, head, head * tiles.parts() + part, worker}, memory);
      put_queries(head, head, worker, memory);
    });
  }

  /// A part of a head; where its parts meet, and where it has a dq of its own; who works at it.
  struct Place {
    Index head;
    HeadPart part;
    Index shared, own, worker;
  };
  template <class WriteKey>
  void part_backward(const Place& at, SequenceView<const S> d_o, Memory& memory, WriteKey&& write_key) const {
    const auto [k_rows, v_rows] = both_rows(memory, at.shared);
    S* along = memory.along_.view().column(0, at.head);
    S* scratch = memory.scratch_.view().column(0, at.worker) + head_size_;
    memory.turned_.head(at.head).backward(at.part, k_rows, v_rows,
                                          {rows_of(d_o, at.head), along, along[d_o.time()] == S(1)}, scratch,
                                          memory.dq_.of(at.part, at.shared, at.own), write_key);
  }
  void add_part(const Place& at, Memory& memory) const {
    memory.dq_.add(at.part, memory.turned_.head(at.head).queries_of(at.part), at.shared, at.own);
  }
  void put_queries(Index head, Index place, Index worker, Memory& memory) const {
    const Columns<const S> dq = memory.dq_.sum(place);
    for (Index t = 0; t < dq.count; ++t)
      memory.turned_.put_query(rotary_, head, t, dq[t], memory.dqkv_.view(), turns_of(worker, memory));
  }

 public:
  /// forward for T = 1, without a tile and with nothing kept.
  FrameView<const S> step(FrameView<const S> x, FrameView<const S> qkv, State& state, Memory& memory,
                          const Context& context) const {
    const SequenceView<S> o = memory.o_.resize(inner(), 1, x.batch());
    const SequenceView<S> scratch = memory.scratch_.resize(2 * head_size_ + window_.frames(), 1, context.workers());
    const double multiply_adds = 2.0 * static_cast<double>(inner() * window_.frames()) * static_cast<double>(x.batch());
    parallel_for(context, x.batch(), multiply_adds, [&](Index b, Index worker) {
      step_one(qkv.row(b), x.starts()(0, b), state, b, scratch.row(0, worker), o.row(0, b));
    });
    return o.frame(0);
  }

 private:
  /// The multiply-adds of all scores and of o.
  double work(const Memory& memory) const {
    const Index keys = std::min<Index>(memory.turned_.keys(), window_.frames());
    return 2.0 * static_cast<double>(inner() * keys) * static_cast<double>(memory.o_.time() * memory.o_.batch());
  }
  /// Of what is done for each frame alone.
  double turning(SequenceView<const S> x) const { return 16.0 * static_cast<double>(inner() * x.time() * x.batch()); }

  /// One frame of one sequence: its key and value into the ring, then attention over the ring. scratch: (2 E + window).
  void step_one(Row<const S> qkv, bool start, State& state, Index b, Row<S> scratch, Row<S> o) const {
    const Index position = start ? 0 : window_.position_of(state.position(0, b)), before = window_.before(position);
    const Row<S> turns = scratch, q = turns.from(head_size_), weights = q.from(head_size_);
    rotary_.turns_of(position, turns);
    using Turn = typename Rotary<S>::Turn;
    for (Index head = 0; head < heads_; ++head) {
      const Ring ring = ring_of(state, b * heads_ + head);
      const Row<const S> q_of_x = qkv.from(head * head_size_), k_of_x = q_of_x.from(inner()),
                         v_of_x = k_of_x.from(inner());
      if (start) ring.clear();
      rotary_.rotate(q_of_x, turns, TurnedHeads<S>::scale(head_size_), Turn::forth, q);
      rotary_.rotate(k_of_x, turns, S(1), Turn::forth, ring.key(position));
      std::copy_n(v_of_x.data, head_size_, ring.value(position).data);
      attend_once<S>(q, ring, position - before, before + 1, weights, o.from(head * head_size_));
    }
    state.position(0, b) = static_cast<S>(window_.next(position));
  }

  Ring ring_of(State& state, Index head) const { return {window_, state, head, heads_, head_size_}; }
  template <class T>
  Columns<T> rows_of(SequenceView<T> view, Index head, Index part = 0) const {
    return rows_of_head(view, head, heads_, head_size_, part * inner());
  }

  Index rows_size(const Memory& memory) const { return TransposedColumns<S>::size(head_size_, memory.turned_.keys()); }
  std::array<TransposedColumns<S>, 2> both_rows(Memory& memory, Index place) const {
    S* rows = memory.rows_.view().column(0, place);
    return {{{rows, head_size_}, {rows + rows_size(memory), head_size_}}};
  }
  /// Of each worker: the turns of one position, and what a head needs.
  static S* turns_of(Index worker, Memory& memory) { return memory.scratch_.view().column(0, worker); }
  SequenceView<S> scratch_of(Memory& memory, const Context& context) const {
    return memory.scratch_.resize(head_size_ + Head::scratch_size(head_size_), 1, context.workers());
  }

  Index heads_, head_size_;
  SlidingWindow window_;
  Rotary<S> rotary_;
};

}  // namespace minrnn::detail
