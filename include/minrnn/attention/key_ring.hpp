// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "minrnn/attention/sliding_window.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/lanes.hpp"

namespace minrnn {

/// What attention keeps of the past: rings of R frames, R = window rounded up to a power of two.
template <class S>
struct AttentionState {
  Matrix<S> keys, values;  // (heads E R, B): the frame of position p stands at p modulo R
  Matrix<S> position;      // (1, B)

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "keys", self.keys);
    visitor(scope / "values", self.values);
    visitor(scope / "position", self.position);
  }
};

namespace detail {

/// The keys and values of one head that a state keeps for one sequence: what the frames to come may still see of those
/// that were. A call reads them, forgets them at a start, and writes its own last frames.
///
/// Shapes      keys, values (E, R), somewhere in a state: the frame of position p stands at column window.place(p)
/// Gradient    The ring of a state gradient turns from dL/d(ring after the call) into dL/d(ring before it while the
///             keys of the call pass, the last one first. What a place holds belongs to the last frame that wrote
///             there, which takes it; the first frame clears the rest if anything started; keys that were read add
///             theirs.
template <class S>
class KeyRing {
  using Scalar = std::remove_const_t<S>;
  using Frames = SlidingWindow::Frames;

 public:
  KeyRing(const SlidingWindow& window, Columns<S> keys, Columns<S> values)
      : window_(window), keys_(keys), values_(values) {}
  /// That of one head of E features, where each sequence has so many and they are numbered through.
  KeyRing(const SlidingWindow& window, AttentionState<S>& state, Index head, Index heads, Index size)
      : KeyRing(window, columns(window, state.keys, head, heads, size),
                columns(window, state.values, head, heads, size)) {}

  Index features() const { return keys_.rows; }
  /// (E) of the frame of a position.
  Row<S> key(Index position) const { return keys_[window_.place(position)]; }
  Row<S> value(Index position) const { return values_[window_.place(position)]; }

  /// k, v (E, earlier + T): the first columns become the frames before a call, zero where sequence b has none.
  void read(const Frames& frames, Index b, Columns<Scalar> k, Columns<Scalar> v) const {
    const auto& entry = frames.entry(b);
    for (Index j = 1; j <= frames.earlier(); ++j) {
      const Row<Scalar> k_j = k[frames.earlier() - j], v_j = v[frames.earlier() - j];
      if (j <= entry.earlier) {
        copy(key(entry.position - j), k_j);
        copy(value(entry.position - j), v_j);
      } else {
        std::fill_n(k_j.data, features(), S(0));
        std::fill_n(v_j.data, features(), S(0));
      }
    }
  }
  /// Takes the last frames of a call, from k, v (E, earlier + T).
  void write(const Frames& frames, Index b, Columns<const S> k, Columns<const S> v) const {
    if (frames.entry(b).started >= 0) clear();
    for (Index t = frames.entry(b).kept; t < frames.time(); ++t) {
      const Index position = frames.positions(b)[t];
      copy(k[frames.earlier() + t], key(position));
      copy(v[frames.earlier() + t], value(position));
    }
  }
  /// The adjoint of `write` and `read` for one key, as the ring of a state gradient; dk and dv (E) of that key gain
  /// what the ring holds for it. Keys come from the last to the first.
  void adjoint(const Frames& frames, Index b, Index key, Row<S> dk, Row<S> dv) const {
    const auto& entry = frames.entry(b);
    const Index t = key - frames.earlier();
    if (t >= entry.kept) take(frames.positions(b)[t], dk, dv);
    if (t == 0 && entry.started >= 0) clear();
    if (t < 0 && -t <= entry.earlier) add(entry.position + t, dk, dv);
  }

  void clear() const {
    for (Index place = 0; place < keys_.count; ++place) {
      std::fill_n(keys_[place].data, features(), S(0));
      std::fill_n(values_[place].data, features(), S(0));
    }
  }

 private:
  static Columns<S> columns(const SlidingWindow& window, Matrix<S>& matrix, Index head, Index heads, Index size) {
    return {matrix.col(head / heads).data() + head % heads * size, size, window.ring(), heads * size};
  }
  void copy(Row<const Scalar> from, Row<Scalar> to) const { std::copy_n(from.data, features(), to.data); }
  void add(Index position, Row<const S> dk, Row<const S> dv) const {
    const Row<S> dkey = key(position), dvalue = value(position);
    for_lanes<S>(features(), [&](auto i) {
      dkey[i] += dk[i];
      dvalue[i] += dv[i];
    });
  }
  void take(Index position, Row<S> dk, Row<S> dv) const {
    const Row<S> dkey = key(position), dvalue = value(position);
    for_lanes<S>(features(), [&](auto i) {
      dk[i] += dkey[i];
      dv[i] += dvalue[i];
      dkey[i] = S(0);
      dvalue[i] = S(0);
    });
  }

  const SlidingWindow& window_;
  Columns<S> keys_, values_;
};

}  // namespace detail
}  // namespace minrnn
