// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "minrnn/attention/attention_head.hpp"
#include "minrnn/attention/key_ring.hpp"
#include "minrnn/attention/rotary.hpp"
#include "minrnn/attention/score_unit.hpp"
#include "minrnn/attention/sliding_window.hpp"
#include "minrnn/attention/tile_products.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn::detail {

/// The rows of a head in a block (heads E, T, B), or in the part of (3 heads E, T, B) that begins at row `first`. The
/// heads of all sequences are numbered through, those of one sequence after the other.
template <class T>
Columns<T> rows_of_head(SequenceView<T> view, Index head, Index heads, Index size, Index first = 0) {
  return view.columns(0, view.time(), head / heads).features(first + head % heads * size, size);
}

/// The frames of one call as heads take them, and their gradients on the way back: q and k turned by their positions,
/// q scaled and divided by its unit, the keys and values of before the call in front of its own.
///
/// Equations   q' = R(t) q_t / sqrt(E),  k' = R(j) k_j with the rotation R(t) by position t
/// Gradient    dq = R(-t) dq' / sqrt(E),  dk = R(-j) dk'
/// Shapes      qkv (3 heads E, T, B), rows q, k, v, head after head
template <class S>
class TurnedHeads {
  using Turn = typename Rotary<S>::Turn;

 public:
  /// What the scores of heads of E features are multiplied by.
  static S scale(Index size) { return 1 / std::sqrt(static_cast<S>(size)); }

  /// For the frames of x (F, T, B) after those of a state.
  void begin(const Rotary<S>& rotary, const SlidingWindow& window, Index heads, Index size, SequenceView<const S> x,
             const AttentionState<S>& state, const Context& context) {
    heads_ = heads;
    size_ = size;
    frames_.fill(window, x, FrameView<const S>(state.position));
    turns_.fill(rotary, frames_.least_position(), x.time(), context);
    const Index all = heads * x.batch();
    q_.resize(padded<S>(size), x.time(), all);
    for (Sequence<S>* block : {&k_, &v_}) block->resize(padded<S>(size), keys(), all);
    most_.resize(3, 1, all);
    softmax_.resize(x.time(), 3, all);
  }

  const SlidingWindow::Frames& frames() const { return frames_; }
  /// The keys of a head: those from before the call, and one of each frame.
  Index keys() const { return frames_.earlier() + frames_.time(); }
  /// The heads of all sequences.
  Index count() const { return heads_ * frames_.batch(); }

  /// Takes one head of qkv; its ring goes from before the call to after it. scratch: E scalars.
  void take(const Rotary<S>& rotary, Index head, SequenceView<const S> qkv, const KeyRing<S>& ring, S* scratch) {
    const Index b = head / heads_, earlier = frames_.earlier();
    const auto [q, k, v] = parts(head);
    const auto x_of = [&](Index part) { return rows_of_head(qkv, head, heads_, size_, part * heads_ * size_); };
    const Columns<const S> x_q = x_of(0), x_k = x_of(1), x_v = x_of(2);
    clear_padding(head);
    ring.read(frames_, b, k, v);
    for (Index t = 0; t < q.count; ++t) {
      const Row<const S> turns = turns_at(rotary, b, t, scratch);
      rotary.rotate(x_q[t], turns, scale(size_), Turn::forth, q[t]);
      rotary.rotate(x_k[t], turns, S(1), Turn::forth, k[earlier + t]);
      std::copy_n(x_v[t].data, size_, v[earlier + t].data);
    }
    ring.write(frames_, b, k, v);
    find_units(head);
  }

  AttentionHead<S> head(Index head) {
    const auto [q, k, v] = parts(head);
    const SequenceView<S> softmax = softmax_.view();
    const S* most = most_.view().column(0, head);
    return {q,
            k,
            v,
            {frames_.first_keys(head / heads_), frames_.earlier()},
            {softmax.column(0, head), softmax.column(1, head), softmax.column(2, head)},
            most[0],
            most[1],
            most[2]};
  }

  /// Makes room for dk and dv of the keys from before the call, where they have to wait for `put_key`.
  void keep_earlier() { earlier_.resize(2 * size_, frames_.earlier(), count()); }
  /// Where dk and dv (E) of a key may wait for `put_key`: in dqkv, or those of a key from before the call here.
  std::array<Row<S>, 2> places_of_key(Index head, Index key, SequenceView<S> dqkv) {
    const Index t = key - frames_.earlier(), inner = heads_ * size_;
    if (t >= 0)
      return {rows_of_head(dqkv, head, heads_, size_, inner)[t], rows_of_head(dqkv, head, heads_, size_, 2 * inner)[t]};
    const Row<S> both = earlier_.view().row(key, head);
    return {both, both.from(size_)};
  }

  /// Puts the gradients of one key, from the last to the first, into dqkv and the ring of a state gradient, which goes
  /// from after the call to before it. dk, dv (E), which may be where they go, are changed. scratch: E scalars.
  void put_key(const Rotary<S>& rotary, Index head, Index key, Row<S> dk, Row<S> dv, const KeyRing<S>& dring,
               SequenceView<S> dqkv, S* scratch) {
    const Index b = head / heads_, t = key - frames_.earlier();
    dring.adjoint(frames_, b, key, dk, dv);
    if (t < 0) return;  // of a frame before the call
    const auto [dk_to, dv_to] = places_of_key(head, key, dqkv);
    rotary.rotate(dk, turns_at(rotary, b, t, scratch), S(1), Turn::back, dk_to);
    if (dv.data != dv_to.data) std::copy_n(dv.data, size_, dv_to.data);
  }
  /// The same for one query.
  void put_query(const Rotary<S>& rotary, Index head, Index t, Row<const S> dq, SequenceView<S> dqkv,
                 S* scratch) const {
    rotary.rotate(dq, turns_at(rotary, head / heads_, t, scratch), scale(size_), Turn::back,
                  rows_of_head(dqkv, head, heads_, size_)[t]);
  }

 private:
  struct Parts {
    Columns<S> q, k, v;
  };

  Row<const S> turns_at(const Rotary<S>& rotary, Index b, Index t, S* scratch) const {
    return turns_.at(rotary, frames_.positions(b)[t], Row<S>(scratch));
  }
  Parts parts(Index head) {
    const auto part = [&](Sequence<S>& block) {
      return block.view().columns(0, block.time(), head).features(0, size_);
    };
    return {part(q_), part(k_), part(v_)};
  }
  void clear_padding(Index head) {
    const Index padding = padded<S>(size_) - size_;
    if (padding == 0) return;
    for (Sequence<S>* block : {&q_, &k_, &v_})
      for (Index t = 0; t < block->time(); ++t) std::fill_n(block->view().column(t, head) + size_, padding, S(0));
  }
  /// The largest magnitudes of q, k and v, and the units of the queries.
  void find_units(Index head) {
    S* most = most_.view().column(0, head);
    S* units = softmax_.view().column(0, head);
    // All columns at once: they stand side by side, zeros between them.
    const auto largest = [&](const Sequence<S>& block) {
      return largest_if_finite(block.features() * block.time(), block.view().row(0, head));
    };
    most[0] = largest(q_);
    most[1] = largest(k_);
    most[2] = largest(v_);
    if (most[0] > S(0) && most[1] > S(0) && score_unit(size_, most[0], most[1]) == S(1))
      std::fill_n(units, q_.time(), S(1));
    else
      divide_by_units<S>(parts(head).q, parts(head).k, units);
  }

  Index heads_ = 0, size_ = 0;  // of a sequence; E
  SlidingWindow::Frames frames_;
  typename Rotary<S>::Table turns_;
  Sequence<S> q_;        // (padded E, T, heads B)
  Sequence<S> k_, v_;    // (padded E, earlier + T, heads B)
  Sequence<S> most_;     // (3, 1, heads B) the largest magnitudes of q, k and v, 0 where one is not finite
  Sequence<S> earlier_;  // (2 E, earlier, heads B): dk and dv
  Sequence<S> softmax_;  // (T, 3, heads B): the unit that q is divided by, the largest score, its probability
};

}  // namespace minrnn::detail
