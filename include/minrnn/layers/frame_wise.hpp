// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/packet.hpp"

namespace minrnn {

/// The state of a layer that remembers nothing.
struct NoState {
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

/// A layer without memory: derives state, step and infer from what it does to frames. `Derived` has
///   apply(x, cache, context)     y of all frames of x, keeping for `adjoint` what it needs
///   adjoint(dy, cache, context)  dx, adding to the gradients; begins with
///                                cache.check_backward(name, cache_sizes(), dy)
///   evaluate(x, cache, context)  y without keeping anything; may be left out where it is `apply`
///   cache_sizes()                features in and out, and what else the kept blocks depend on
/// and a Cache that derives from CacheBase. The results live in cache.
template <class Derived, class S>
class FrameWise {
 public:
  using Scalar = S;
  using State = NoState;

  State initial_state(Index batch) const {
    detail::check_batch("initial_state", batch);
    return {};
  }

  template <class Cache>
  SequenceView<const S> forward(SequenceView<const S> x, State&, Cache& cache, const Context& context = {}) const {
    cache.forget();
    const SequenceView<const S> y = self().apply(x, cache, context);
    cache.keep(self().cache_sizes(), x.time(), x.batch());
    return y.with_starts(x.starts());
  }
  template <class Cache>
  SequenceView<const S> backward(SequenceView<const S> dy, State&, Cache& cache, const Context& context = {}) {
    return static_cast<Derived&>(*this).adjoint(dy, cache, context);
  }
  template <class Cache>
  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return static_cast<Derived&>(*this).adjoint(dy, cache, context);
  }
  template <class Cache>
  SequenceView<const S> infer(SequenceView<const S> x, State&, Cache& cache, const Context& context = {}) const {
    cache.forget();
    if constexpr (requires { self().evaluate(x, cache, context); })
      return SequenceView<const S>(self().evaluate(x, cache, context)).with_starts(x.starts());
    else
      return SequenceView<const S>(self().apply(x, cache, context)).with_starts(x.starts());
  }
  template <class Cache>
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

namespace detail {

/// The frames of one or two sequences of the same shape as columns n = b T + t. Where the sequences are contiguous, or
/// of one step, a block of columns may reach across sequences.
class Frames {
 public:
  /// Cut into at most `most` tiles of at least 64 frames.
  template <class View, class... Views>
  explicit Frames(Index most, const View& view, const Views&... views)
      : time_(view.time()),
        count_(view.time() * view.batch()),
        size_(std::max<Index>(64, (count_ + most - 1) / most)),
        joined_(joins(view) && (joins(views) && ...)) {}

  Index count() const { return count_; }
  Index tiles() const { return (count_ + size_ - 1) / size_; }

  /// Calls body(n, frames) for the blocks of a tile, each at most `block` frames.
  template <class Body>
  void for_blocks(Index tile, Index block, Body&& body) const {
    const Index last = std::min<Index>(count_, (tile + 1) * size_);
    for (Index n = tile * size_; n < last;) {
      Index frames = std::min<Index>(block, last - n);
      if (!joined_) frames = std::min<Index>(frames, time_ - n % time_);
      body(n, frames);
      n += frames;
    }
  }

  /// Calls body(n) for the frames of a tile.
  template <class Body>
  void for_each(Index tile, Body&& body) const {
    const Index last = std::min<Index>(count_, (tile + 1) * size_);
    for (Index n = tile * size_; n < last; ++n) body(n);
  }

  template <class S>
  static S* column(SequenceView<S> view, Index n) {
    return view.column(n % view.time(), n / view.time());
  }
  template <class S>
  static Index stride(SequenceView<S> view) {
    return view.time() == 1 ? view.batch_stride() : view.features();
  }

 private:
  template <class View>
  static bool joins(const View& view) {
    return view.contiguous() || view.time() == 1;
  }
  Index time_, count_, size_;
  bool joined_;
};

/// Calls body(lanes, t, b) for the packets of features of every frame of a sequence.
template <class S, class View, class Body>
void for_packets(const Context& context, const View& view, Body&& body) {
  const Frames frames(32, view);
  parallel_for(context, frames.tiles(), [&](Index tile, Index) {
    frames.for_each(tile, [&](Index n) {
      const Index t = n % view.time(), b = n / view.time();
      for_lanes<S, kInterleaved>(view.features(), [&](auto lanes) { body(lanes, t, b); });
    });
  });
}

}  // namespace detail
}  // namespace minrnn
