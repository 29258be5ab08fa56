// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <utility>

#include "minrnn/core/check.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// Memory for the result of a call, which never lies where something lies that the call reads. So a result may be the
/// next argument of the same cache: y = layer.step(y, state, cache).
template <class S>
class Output {
 public:
  /// Room for (F, T, B) apart from what is `read`, views of any kind. A result of one frame has room for a second one
  /// from the beginning, so that a step which is given its own result allocates nothing.
  template <class... Views>
  SequenceView<S> resize(Index features, Index time, Index batch, const Views&... read) {
    detail::check_block("Output", features, time, batch);
    const Index size = features * time * batch;
    if ((blocks_[0].holds(read.data()) || ...) || blocks_[0].capacity() < size) [[unlikely]]
      choose(size, {read.data()...});
    if (time == 1 && blocks_[1].capacity() < size) [[unlikely]]
      if (!(blocks_[1].holds(read.data()) || ...)) blocks_[1].reserve(size);
    return blocks_[0].assign(features, time, batch);
  }

  SequenceView<S> view() { return blocks_[0].view(); }
  SequenceView<const S> view() const { return blocks_[0].view(); }

 private:
  /// Puts a free block first, one that is large enough where there is one. At most two things are read, so one is free.
  MINRNN_COLD void choose(Index size, std::initializer_list<const S*> read) {
    for (const bool any_size : {false, true})
      for (Sequence<S>& block : blocks_) {
        const bool is_free = std::none_of(read.begin(), read.end(), [&](const S* p) { return block.holds(p); });
        if (is_free && (any_size || block.capacity() >= size)) return std::swap(blocks_[0], block);
      }
  }

  std::array<Sequence<S>, 3> blocks_;
};

/// The last result of a layer that is made of layers, which lies in the cache of the last of them. The next forward
/// writes over it, so where it is also the argument of that forward, a copy of it stays for backward.
template <class S>
class LastResult {
 public:
  /// The argument of a forward: x, or a copy.
  SequenceView<const S> keep(SequenceView<const S> x) {
    const std::less<const S*> before;
    return x.size() == 0 || before(x.data(), first_) || !before(x.data(), last_) ? x : copy_of(x);
  }
  /// Takes note of the result of any call, and gives it back.
  SequenceView<const S> note(SequenceView<const S> y) {
    first_ = y.data();
    last_ = y.size() == 0 ? first_ : y.column(y.time(), y.batch() - 1);
    return y;
  }
  FrameView<const S> note(FrameView<const S> y) {
    note(y.sequence());
    return y;
  }

 private:
  MINRNN_COLD SequenceView<const S> copy_of(SequenceView<const S> x) {
    const SequenceView<S> copy = copy_.resize(x.features(), x.time(), x.batch());
    for (Index b = 0; b < x.batch(); ++b) std::copy_n(x.column(0, b), x.features() * x.time(), copy.column(0, b));
    return SequenceView<const S>(copy).with_starts(x.starts());
  }

  const S *first_ = nullptr, *last_ = nullptr;
  Sequence<S> copy_;
};

}  // namespace minrnn
