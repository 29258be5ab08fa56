// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

/// These functions ask the processor for memory before it is used, where it cannot foresee in what order that happens.
/// They are hints: none of them changes a result, an address may lie anywhere, and a compiler without such hints makes
/// nothing of them.
namespace minrnn::detail {

template <class S>
MINRNN_INLINE void prefetch([[maybe_unused]] const S* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}
/// For a line that will be written.
template <class S>
MINRNN_INLINE void prefetch_to_write([[maybe_unused]] S* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p, 1);
#endif
}

/// The scalars of a line.
template <class S>
inline constexpr Index kLine = 64 / sizeof(S);
/// All lines of so many scalars.
template <class S>
MINRNN_INLINE void prefetch(const S* p, Index count) {
  for (Index i = 0; i < count; i += kLine<S>) prefetch(p + i);
}
template <class S>
MINRNN_INLINE void prefetch_to_write(S* p, Index count) {
  for (Index i = 0; i < count; i += kLine<S>) prefetch_to_write(p + i);
}

/// What will be read once a product is done. The product asks for a little of it with each block that it computes.
template <class S>
class Prefetcher {
  /// Enough for what backward of a minimal layer reads at 64 features, where its products are shortest. What is not
  /// asked for is left to the processor, which may lose sight of one of five streams. Where a register is as long as a
  /// line, a product has fewer blocks, and longer ones.
  static constexpr int kLinesAtOnce = Packet<S>::size == kLine<S> ? 60 : 20;

 public:
  /// [first, last). At most four ranges, the last one first.
  void add(const S* first, const S* last) { ranges_[count_++] = {first, last}; }

  MINRNN_INLINE void ask() {
    if (count_ == 0) return;
    Range& range = ranges_[count_ - 1];
    const S* next = range.next;
    // Inlined by force: GCC 12 takes a function that only prefetches for one without an effect.
    unroll<kLinesAtOnce>([&](auto line) MINRNN_INLINE_LAMBDA { prefetch(next + line * kLine<S>); });
    range.next += kLinesAtOnce * kLine<S>;
    if (range.next >= range.last) --count_;
  }

 private:
  struct Range {
    const S *next, *last;
  };
  std::array<Range, 4> ranges_;
  std::size_t count_ = 0;
};

}  // namespace minrnn::detail
