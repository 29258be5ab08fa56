// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

namespace minrnn::detail {
/// What `Packet` holds: a packet of Eigen's, or of this header.
template <class S>
struct NativePacket : Eigen::internal::packet_traits<S> {};
}  // namespace minrnn::detail

/// Four floats of WebAssembly's 128 bits (-msimd128), of which Eigen has no packets: what `Packet` asks of a packet of
/// Eigen's. They are a vector of clang's, whose + - * / are Eigen's generic ones. Eigen itself stays scalar, and so do
/// doubles. Minima, maxima and sums treat NaN, and round, as those of SSE.
#if defined(__wasm_simd128__) && !defined(EIGEN_VECTORIZE) && !defined(EIGEN_DONT_VECTORIZE)
#include <wasm_simd128.h>

namespace minrnn::detail {
using WasmFloats = float __attribute__((vector_size(16)));
using WasmIntegers = int __attribute__((vector_size(16)));
template <>
struct NativePacket<float> {
  using type = WasmFloats;
};
}  // namespace minrnn::detail

namespace Eigen::internal {

using minrnn::detail::WasmFloats;
using minrnn::detail::WasmIntegers;

template <>
struct unpacket_traits<WasmFloats> {
  using type = float;
  using half = WasmFloats;
  using integer_packet = WasmIntegers;
  enum { size = 4, alignment = 16, vectorizable = true, masked_load_available = false, masked_store_available = false };
};

template <>
MINRNN_INLINE WasmFloats pset1<WasmFloats>(const float& x) {
  return wasm_f32x4_splat(x);
}
template <>
MINRNN_INLINE WasmFloats pset1frombits<WasmFloats>(unsigned int bits) {
  return wasm_i32x4_splat(static_cast<int>(bits));
}
template <>
MINRNN_INLINE WasmFloats ploadu<WasmFloats>(const float* from) {
  return wasm_v128_load(from);
}
template <>
MINRNN_INLINE void pstoreu<float, WasmFloats>(float* to, const WasmFloats& x) {
  wasm_v128_store(to, x);
}
template <>
MINRNN_INLINE float pfirst<WasmFloats>(const WasmFloats& x) {
  return x[0];
}
template <>
MINRNN_INLINE float predux<WasmFloats>(const WasmFloats& x) {
  return (x[0] + x[2]) + (x[1] + x[3]);
}

#define MINRNN_WASM_FUNCTION(name, function)                       \
  template <>                                                      \
  MINRNN_INLINE WasmFloats name<WasmFloats>(const WasmFloats& x) { \
    return function(x);                                            \
  }
#define MINRNN_WASM_FUNCTION_OF_TWO(name, function)                                     \
  template <>                                                                           \
  MINRNN_INLINE WasmFloats name<WasmFloats>(const WasmFloats& x, const WasmFloats& y) { \
    return function(x, y);                                                              \
  }
MINRNN_WASM_FUNCTION(pabs, wasm_f32x4_abs)
MINRNN_WASM_FUNCTION(psqrt, wasm_f32x4_sqrt)
MINRNN_WASM_FUNCTION(print, wasm_f32x4_nearest)
MINRNN_WASM_FUNCTION_OF_TWO(pmin, wasm_f32x4_pmin)
MINRNN_WASM_FUNCTION_OF_TWO(pmax, wasm_f32x4_pmax)
MINRNN_WASM_FUNCTION_OF_TWO(pand, wasm_v128_and)
MINRNN_WASM_FUNCTION_OF_TWO(por, wasm_v128_or)
MINRNN_WASM_FUNCTION_OF_TWO(pandnot, wasm_v128_andnot)
MINRNN_WASM_FUNCTION_OF_TWO(pcmp_lt, wasm_f32x4_lt)
MINRNN_WASM_FUNCTION_OF_TWO(pcmp_eq, wasm_f32x4_eq)
#undef MINRNN_WASM_FUNCTION
#undef MINRNN_WASM_FUNCTION_OF_TWO

template <>
MINRNN_INLINE WasmFloats pcmp_lt_or_nan<WasmFloats>(const WasmFloats& x, const WasmFloats& y) {
  return wasm_v128_not(wasm_f32x4_ge(x, y));
}
template <>
MINRNN_INLINE WasmFloats pselect<WasmFloats>(const WasmFloats& mask, const WasmFloats& then, const WasmFloats& other) {
  return wasm_v128_bitselect(then, other, mask);
}
template <>
MINRNN_INLINE bool predux_any<WasmFloats>(const WasmFloats& mask) {
  return wasm_v128_any_true(mask);
}
template <>
MINRNN_INLINE float predux_max<WasmFloats>(const WasmFloats& x) {
  const WasmFloats pairs = pmax<WasmFloats>(x, wasm_i32x4_shuffle(x, x, 2, 3, 2, 3));
  return pmax<WasmFloats>(pairs, wasm_i32x4_shuffle(pairs, pairs, 1, 1, 1, 1))[0];
}

template <>
MINRNN_INLINE WasmIntegers preinterpret<WasmIntegers, WasmFloats>(const WasmFloats& x) {
  return reinterpret_cast<WasmIntegers>(x);
}
template <>
MINRNN_INLINE WasmFloats preinterpret<WasmFloats, WasmIntegers>(const WasmIntegers& x) {
  return reinterpret_cast<WasmFloats>(x);
}
template <>
MINRNN_INLINE WasmFloats pcast<WasmIntegers, WasmFloats>(const WasmIntegers& x) {
  return wasm_f32x4_convert_i32x4(x);
}
template <int places>
MINRNN_INLINE WasmIntegers plogical_shift_left(const WasmIntegers& x) {
  return wasm_i32x4_shl(x, places);
}
template <int places>
MINRNN_INLINE WasmIntegers plogical_shift_right(const WasmIntegers& x) {
  return wasm_u32x4_shr(x, places);
}

/// Of a positive normal number, which is all that `plog_float` takes apart.
template <>
MINRNN_INLINE WasmFloats pfrexp<WasmFloats>(const WasmFloats& x, WasmFloats& exponent) {
  exponent = pcast<WasmIntegers, WasmFloats>(plogical_shift_right<23>(reinterpret_cast<WasmIntegers>(x))) - 126.0f;
  return por(pand(x, pset1frombits<WasmFloats>(0x007fffffu)), pset1<WasmFloats>(0.5f));
}
template <>
MINRNN_INLINE WasmFloats plog<WasmFloats>(const WasmFloats& x) {
  return plog_float(x);
}

}  // namespace Eigen::internal
#endif
