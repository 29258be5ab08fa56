// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bit>

namespace minrnn::detail {

#ifdef __cpp_lib_bit_cast
using std::bit_cast;
#else
/// std::bit_cast for libraries that have none, as libc++ 13 (Emscripten up to 3.1.12).
template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}
#endif

}  // namespace minrnn::detail
