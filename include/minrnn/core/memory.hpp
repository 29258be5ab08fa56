// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// From this size on a block is aligned to huge pages and, on Linux, asks for them: its first touch is several times
/// faster and its strided use misses the address cache less often. A system that has none goes on with small ones.
inline constexpr std::size_t kHugePage = std::size_t{1} << 21;

inline std::align_val_t alignment_of(std::size_t bytes) { return std::align_val_t{bytes < kHugePage ? 64 : kHugePage}; }

template <class S>
struct Free {
  std::size_t bytes = 0;
  void operator()(S* p) const { ::operator delete(p, alignment_of(bytes)); }
};

template <class S>
using Memory = std::unique_ptr<S[], Free<S>>;

/// Memory for `size` scalars, contents undefined. Throws std::bad_alloc.
template <class S>
Memory<S> allocate(Index size) {
  const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(S);
  void* p = ::operator new(bytes, alignment_of(bytes));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return {static_cast<S*>(p), Free<S>{bytes}};
}

}  // namespace minrnn::detail
