// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <type_traits>
#include <utility>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/division.hpp"
#include "minrnn/kernels/wasm_packet.hpp"

namespace minrnn {

/// As many scalars as N registers of the target hold: Eigen's packets (SSE, AVX2, AVX-512, NEON, ...) with operators,
/// so that pointwise mathematics is written once and reads as mathematics. On a target without packets a register holds
/// one scalar.
///
/// A chain of dependent operations leaves most of a processor idle. With N > 1 each operation is N independent ones
/// side by side, which fill the gaps.
template <class S, int N = 1>
struct Packet;

namespace detail {
/// body(std::integral_constant<int, i>) for i in 0 .. N - 1, unrolled at every optimisation level.
template <int N, class Body>
MINRNN_INLINE void unroll(Body&& body) {
  [&]<int... i>(std::integer_sequence<int, i...>) MINRNN_INLINE_LAMBDA {
    (body(std::integral_constant<int, i>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

/// f of the registers of packets, one by one.
template <class S, class F, class... P>
MINRNN_INLINE Packet<S, 1> map(F&& f, const Packet<S, 1>& first, const P&... rest) {
  return Packet<S, 1>::of(f(first.native, rest.native...));
}
template <class S, int N, class F, class... P>
MINRNN_INLINE Packet<S, N> map(F&& f, const Packet<S, N>& first, const P&... rest) {
  return {map<S>(f, first.low, rest.low...), map<S>(f, first.high, rest.high...)};
}
}  // namespace detail

template <class S>
struct Packet<S, 1> {
  using Scalar = S;
  using Native = typename detail::NativePacket<S>::type;
  static constexpr Index size = Eigen::internal::unpacket_traits<Native>::size;

  Packet() = default;
  MINRNN_INLINE Packet(const Packet& other) : native(other.native) {}
  MINRNN_INLINE Packet& operator=(const Packet& other) {
    native = other.native;
    return *this;
  }
  MINRNN_INLINE Packet(S s) : native(Eigen::internal::pset1<Native>(s)) {}  // NOLINT: implicit, a constant in a formula
  MINRNN_INLINE static Packet of(const Native& native) {
    Packet p;
    p.native = native;
    return p;
  }
  MINRNN_INLINE static Packet load(const S* p, Index = size) { return of(Eigen::internal::ploadu<Native>(p)); }
  /// What has its bits at p, whatever is there.
  MINRNN_INLINE static Packet load_bits(const void* p) {
    Packet bits;
    std::memcpy(&bits.native, p, sizeof(Native));
    return bits;
  }
  MINRNN_INLINE void store(S* p) const { Eigen::internal::pstoreu(p, native); }
  /// The first `count` scalars alone; the lanes beyond are zero, and are not stored. 0 < count < size.
  MINRNN_INLINE static Packet load_part(const S* p, Index count) {
    if constexpr (kHasMasks) {
      return of(Eigen::internal::ploadu<Native>(p, mask_of(count)));
    } else {
      S buffer[std::size_t{size}] = {};
      std::memcpy(buffer, p, static_cast<std::size_t>(count) * sizeof(S));
      return load(buffer);
    }
  }
  MINRNN_INLINE void store_part(S* p, Index count) const {
    if constexpr (kHasMasks) {
      Eigen::internal::pstoreu(p, native, mask_of(count));
    } else {
      S buffer[std::size_t{size}];
      store(buffer);
      std::memcpy(p, buffer, static_cast<std::size_t>(count) * sizeof(S));
    }
  }
  MINRNN_INLINE S first() const { return Eigen::internal::pfirst(native); }
  MINRNN_INLINE S sum() const { return Eigen::internal::predux(native); }
  MINRNN_INLINE S largest() const { return Eigen::internal::predux_max(native); }

  Native native;

 private:
  static constexpr bool kHasMasks = requires {
    requires bool(Eigen::internal::unpacket_traits<Native>::masked_load_available);
    requires bool(Eigen::internal::unpacket_traits<Native>::masked_store_available);
  };
  MINRNN_INLINE static auto mask_of(Index count) {
    return static_cast<std::conditional_t<(size > 8), std::uint16_t, std::uint8_t>>((1u << count) - 1);
  }
};

template <class S, int N>
struct Packet {
  static_assert(N % 2 == 0, "a packet has a power of two registers");
  using Scalar = S;
  using Half = Packet<S, N / 2>;
  static constexpr Index size = N * Packet<S>::size;

  Packet() = default;
  MINRNN_INLINE Packet(S s) : low(s), high(s) {}  // NOLINT: implicit, a constant in a formula
  MINRNN_INLINE Packet(const Half& lower, const Half& higher) : low(lower), high(higher) {}
  // By member, as what is copied by its bytes goes through memory (GCC 12).
  MINRNN_INLINE Packet(const Packet& other) : low(other.low), high(other.high) {}
  MINRNN_INLINE Packet& operator=(const Packet& other) {
    low = other.low;
    high = other.high;
    return *this;
  }
  /// Registers `stride` scalars apart.
  MINRNN_INLINE static Packet load(const S* p, Index stride = Packet<S>::size) {
    return {Half::load(p, stride), Half::load(p + N / 2 * stride, stride)};
  }
  MINRNN_INLINE void store(S* p) const {
    low.store(p);
    high.store(p + Half::size);
  }
  MINRNN_INLINE static Packet load_part(const S* p, Index count) {
    if (count < Half::size) return {Half::load_part(p, count), Half(S(0))};
    if (count == Half::size) return {Half::load(p), Half(S(0))};
    return {Half::load(p), Half::load_part(p + Half::size, count - Half::size)};
  }
  MINRNN_INLINE void store_part(S* p, Index count) const {
    if (count < Half::size) return low.store_part(p, count);
    low.store(p);
    if (count > Half::size) high.store_part(p + Half::size, count - Half::size);
  }
  MINRNN_INLINE S sum() const { return (low + high).sum(); }
  MINRNN_INLINE S largest() const { return maximum(low, high).largest(); }

  Half low, high;  // members with names: compilers keep these in registers, but not the elements of an array
};

namespace detail {
/// Eigen's quotient and root, or `true_quotient` and `true_root` where they are better.
template <class Native>
MINRNN_INLINE Native quotient(const Native& x, const Native& y) {
  if constexpr (requires { true_quotient(x, y); })
    return true_quotient(x, y);
  else
    return Eigen::internal::pdiv(x, y);
}
template <class Native>
MINRNN_INLINE Native root(const Native& x) {
  if constexpr (requires { true_root(x); })
    return true_root(x);
  else
    return Eigen::internal::psqrt(x);
}
}  // namespace detail

#define MINRNN_PACKET_OPERATOR(op, function)                                                  \
  template <class S, int N>                                                                   \
  MINRNN_INLINE Packet<S, N> operator op(Packet<S, N> a, Packet<S, N> b) {                    \
    return detail::map<S>([](const auto& x, const auto& y) { return function(x, y); }, a, b); \
  }                                                                                           \
  template <class S, int N>                                                                   \
  MINRNN_INLINE Packet<S, N> operator op(Packet<S, N> a, std::type_identity_t<S> b) {         \
    return a op Packet<S, N>(b);                                                              \
  }
MINRNN_PACKET_OPERATOR(+, Eigen::internal::padd)
MINRNN_PACKET_OPERATOR(-, Eigen::internal::psub)
MINRNN_PACKET_OPERATOR(*, Eigen::internal::pmul)
MINRNN_PACKET_OPERATOR(/, detail::quotient)
// Masks, for `select` and `any` alone.
MINRNN_PACKET_OPERATOR(<, Eigen::internal::pcmp_lt)
MINRNN_PACKET_OPERATOR(==, Eigen::internal::pcmp_eq)
#undef MINRNN_PACKET_OPERATOR

#define MINRNN_PACKET_FUNCTION(name, function)                           \
  template <class S, int N>                                              \
  MINRNN_INLINE Packet<S, N> name(Packet<S, N> a) {                      \
    return detail::map<S>([](const auto& x) { return function(x); }, a); \
  }
#define MINRNN_PACKET_FUNCTION_OF_TWO(name, function)                                         \
  template <class S, int N>                                                                   \
  MINRNN_INLINE Packet<S, N> name(Packet<S, N> a, Packet<S, N> b) {                           \
    return detail::map<S>([](const auto& x, const auto& y) { return function(x, y); }, a, b); \
  }
MINRNN_PACKET_FUNCTION(operator-, Eigen::internal::pnegate)
MINRNN_PACKET_FUNCTION(absolute, Eigen::internal::pabs)
MINRNN_PACKET_FUNCTION_OF_TWO(minimum, Eigen::internal::pmin)
MINRNN_PACKET_FUNCTION_OF_TWO(maximum, Eigen::internal::pmax)
namespace detail {
MINRNN_PACKET_FUNCTION(square_root, root)
MINRNN_PACKET_FUNCTION(eigen_exp, Eigen::internal::pexp)
MINRNN_PACKET_FUNCTION(eigen_log, Eigen::internal::plog)
MINRNN_PACKET_FUNCTION(rounded, Eigen::internal::print)  // to the nearest integer
MINRNN_PACKET_FUNCTION(as_written, as_written)
}  // namespace detail
#undef MINRNN_PACKET_FUNCTION
#undef MINRNN_PACKET_FUNCTION_OF_TWO

/// a * b + c, fused where the target can.
template <class S, int N>
MINRNN_INLINE Packet<S, N> fma(Packet<S, N> a, Packet<S, N> b, Packet<S, N> c) {
  return detail::map<S>([](const auto& x, const auto& y, const auto& z) { return Eigen::internal::pmadd(x, y, z); }, a,
                        b, c);
}
/// Whether no lane is NaN or infinite.
template <class S, int N>
MINRNN_INLINE bool all_finite(Packet<S, N> a) {
  if constexpr (detail::kOnlyFinite) {
    S numbers[std::size_t{Packet<S, N>::size}];
    a.store(numbers);
    return std::all_of(std::begin(numbers), std::end(numbers), [](const S& x) { return detail::is_finite(x); });
  } else if constexpr (N == 1) {
    const auto difference = Eigen::internal::psub(a.native, a.native);  // 0, or NaN
    const auto zero = Eigen::internal::pset1<std::remove_const_t<decltype(difference)>>(S(0));
    return !Eigen::internal::predux_any(Eigen::internal::pcmp_lt_or_nan(difference, zero));
  } else {
    return all_finite((a.low - a.low) + (a.high - a.high));
  }
}
/// Whether a mask holds in any lane.
template <class S, int N>
MINRNN_INLINE bool any(Packet<S, N> mask) {
  if constexpr (N == 1)
    return Eigen::internal::predux_any(mask.native);
  else
    return any(mask.low) || any(mask.high);
}
template <class S, int N>
MINRNN_INLINE Packet<S, N> select(Packet<S, N> mask, Packet<S, N> then, Packet<S, N> otherwise) {
  return detail::map<S>([](const auto& m, const auto& x, const auto& y) { return Eigen::internal::pselect(m, x, y); },
                        mask, then, otherwise);
}

}  // namespace minrnn
