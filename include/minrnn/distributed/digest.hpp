// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// A digest of the bits of some numbers, or characters.
template <class T>
std::uint64_t digest_of(const T* values, Index size) {
  std::uint64_t hash = static_cast<std::uint64_t>(size);
  for (Index i = 0; i < size; ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, values + i, (std::min)(sizeof(T), sizeof bits));
    hash = (hash ^ bits) * kRandomStep + (hash >> 29);
  }
  return mix_bits(hash);
}

}  // namespace minrnn::detail
