// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <utility>

#include "minrnn/core/types.hpp"

#if defined(_MSC_VER)
#define MINRNN_INLINE __forceinline
#define MINRNN_INLINE_LAMBDA
#else
#define MINRNN_INLINE inline __attribute__((always_inline))
#define MINRNN_INLINE_LAMBDA __attribute__((always_inline))
#endif

namespace minrnn {

/// As many scalars as one register of the target holds: Eigen's packet (SSE, AVX2, AVX-512, NEON, ...) with operators,
/// so that pointwise mathematics is written once and reads as mathematics. On a target without packets it is one scalar.
template <class S>
struct Packet {
  using Native = typename Eigen::internal::packet_traits<S>::type;
  static constexpr Index size = Eigen::internal::unpacket_traits<Native>::size;

  Packet() = default;
  MINRNN_INLINE Packet(S s) : native(Eigen::internal::pset1<Native>(s)) {}  // NOLINT: implicit, a constant in a formula
  MINRNN_INLINE static Packet of(const Native& native) {
    Packet p;
    p.native = native;
    return p;
  }
  MINRNN_INLINE static Packet load(const S* p) { return of(Eigen::internal::ploadu<Native>(p)); }
  MINRNN_INLINE void store(S* p) const { Eigen::internal::pstoreu(p, native); }
  MINRNN_INLINE S first() const { return Eigen::internal::pfirst(native); }
  MINRNN_INLINE S sum() const { return Eigen::internal::predux(native); }
  MINRNN_INLINE S largest() const { return Eigen::internal::predux_max(native); }

  MINRNN_INLINE friend Packet operator+(Packet a, Packet b) { return of(Eigen::internal::padd(a.native, b.native)); }
  MINRNN_INLINE friend Packet operator-(Packet a, Packet b) { return of(Eigen::internal::psub(a.native, b.native)); }
  MINRNN_INLINE friend Packet operator*(Packet a, Packet b) { return of(Eigen::internal::pmul(a.native, b.native)); }
  MINRNN_INLINE friend Packet operator/(Packet a, Packet b) { return of(Eigen::internal::pdiv(a.native, b.native)); }
  MINRNN_INLINE friend Packet operator-(Packet a) { return of(Eigen::internal::pnegate(a.native)); }
  /// Masks, for `select` alone.
  MINRNN_INLINE friend Packet operator<(Packet a, Packet b) { return of(Eigen::internal::pcmp_lt(a.native, b.native)); }
  MINRNN_INLINE friend Packet operator==(Packet a, Packet b) {
    return of(Eigen::internal::pcmp_eq(a.native, b.native));
  }

  Native native;
};

/// a * b + c, fused where the target can.
template <class S>
MINRNN_INLINE Packet<S> fma(Packet<S> a, Packet<S> b, Packet<S> c) {
  return Packet<S>::of(Eigen::internal::pmadd(a.native, b.native, c.native));
}
template <class S>
MINRNN_INLINE Packet<S> min(Packet<S> a, Packet<S> b) {
  return Packet<S>::of(Eigen::internal::pmin(a.native, b.native));
}
template <class S>
MINRNN_INLINE Packet<S> max(Packet<S> a, Packet<S> b) {
  return Packet<S>::of(Eigen::internal::pmax(a.native, b.native));
}
template <class S>
MINRNN_INLINE Packet<S> abs(Packet<S> a) {
  return Packet<S>::of(Eigen::internal::pabs(a.native));
}
template <class S>
MINRNN_INLINE Packet<S> select(Packet<S> mask, Packet<S> then, Packet<S> otherwise) {
  return Packet<S>::of(Eigen::internal::pselect(mask.native, then.native, otherwise.native));
}

namespace detail {

/// A full packet of consecutive scalars, `offset` into whatever arrays are loaded and stored.
template <class S>
struct FullLanes {
  Index offset;
  MINRNN_INLINE Packet<S> load(const S* p) const { return Packet<S>::load(p + offset); }
  MINRNN_INLINE void store(S* p, Packet<S> v) const { v.store(p + offset); }
};

/// The last `count` scalars of an array that no full packet covers; the lanes beyond hold zero and are not stored.
template <class S>
struct PartialLanes {
  Index offset, count;
  MINRNN_INLINE Packet<S> load(const S* p) const {
    S buffer[Packet<S>::size] = {};
    std::memcpy(buffer, p + offset, static_cast<std::size_t>(count) * sizeof(S));
    return Packet<S>::load(buffer);
  }
  MINRNN_INLINE void store(S* p, Packet<S> v) const {
    S buffer[Packet<S>::size];
    v.store(buffer);
    std::memcpy(p + offset, buffer, static_cast<std::size_t>(count) * sizeof(S));
  }
};

/// Calls body(lanes) over n scalars, a packet at a time. Element i is always computed the same way, whatever the call.
template <class S, class Body>
MINRNN_INLINE void for_lanes(Index n, Body&& body) {
  Index i = 0;
  for (; i + Packet<S>::size <= n; i += Packet<S>::size) body(FullLanes<S>{i});
  if (i < n) body(PartialLanes<S>{i, n - i});
}

/// body(std::integral_constant<int, i>) for i in 0 .. N - 1, unrolled at every optimisation level.
template <int N, class Body>
MINRNN_INLINE void unroll(Body&& body) {
  [&]<int... i>(std::integer_sequence<int, i...>) MINRNN_INLINE_LAMBDA {
    (body(std::integral_constant<int, i>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

}  // namespace detail
}  // namespace minrnn
