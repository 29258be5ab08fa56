// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

/// The numbers of packets taken apart and put together: signs, mantissas, exponents, bits.
namespace minrnn {

/// A magnitude (>= 0) with the sign of another number.
template <class S, int N>
MINRNN_INLINE Packet<S, N> with_sign_of(Packet<S, N> magnitude, Packet<S, N> signed_number) {
  return detail::map<S>(
      [](const auto& x, const auto& y) {
        return Eigen::internal::por(
            x, Eigen::internal::pand(y, Eigen::internal::pset1<std::remove_cvref_t<decltype(y)>>(S(-0.0))));
      },
      magnitude, signed_number);
}

namespace detail {

/// x = m 2^n: m, in [1/2, 1).
template <class S, int N>
MINRNN_INLINE Packet<S, N> mantissa_of(Packet<S, N> x) {
  return map<S>(
      [](const auto& r) {
        auto exponent = r;
        return Eigen::internal::pfrexp(r, exponent);
      },
      x);
}
/// x = m 2^n: n.
template <class S, int N>
MINRNN_INLINE Packet<S, N> exponent_of(Packet<S, N> x) {
  return map<S>(
      [](const auto& r) {
        auto exponent = r;
        Eigen::internal::pfrexp(r, exponent);
        return exponent;
      },
      x);
}
/// m 2^n for an integer n.
template <class S, int N>
MINRNN_INLINE Packet<S, N> times_power_of_two(Packet<S, N> m, Packet<S, N> n) {
  return map<S>([](const auto& x, const auto& y) { return Eigen::internal::pldexp(x, y); }, m, n);
}

/// Floats whose packets have integers are also taken apart by their bits.
template <class S>
inline constexpr bool kHasBits = std::is_same_v<S, float>&& Packet<S>::size > 1;

template <class Native>
using Integers = typename Eigen::internal::unpacket_traits<Native>::integer_packet;

/// Of each float all bits, moved towards the highest one.
template <int places, int N>
MINRNN_INLINE Packet<float, N> bits_shifted_left(Packet<float, N> x) {
  return map<float>(
      [](const auto& bits) {
        using namespace Eigen::internal;
        using Native = std::remove_cvref_t<decltype(bits)>;
        return preinterpret<Native>(plogical_shift_left<places>(preinterpret<Integers<Native>>(bits)));
      },
      x);
}
/// 2^(b - 127) for floats whose lowest bits hold b: a shift takes them to the exponent. b = 0 gives 0.
template <int N>
MINRNN_INLINE Packet<float, N> float_of_exponent(Packet<float, N> b) {
  return bits_shifted_left<23>(b);
}
/// The bits of the exponent of a positive float, as a number: b where x = m 2^(b - 127), m in [1, 2).
template <int N>
MINRNN_INLINE Packet<float, N> biased_exponent(Packet<float, N> x) {
  return map<float>(
      [](const auto& bits) {
        using namespace Eigen::internal;
        using Native = std::remove_cvref_t<decltype(bits)>;
        return pcast<Integers<Native>, Native>(plogical_shift_right<23>(preinterpret<Integers<Native>>(bits)));
      },
      x);
}
/// 2^(1 - k) of a positive float m 2^k, m in [1, 2): the bits of its exponent inverted.
template <int N>
MINRNN_INLINE Packet<float, N> inverted_exponent(Packet<float, N> x) {
  return map<float>(
      [](const auto& bits) {
        using namespace Eigen::internal;
        return pandnot(pset1frombits<std::remove_cvref_t<decltype(bits)>>(0x7f800000u), bits);
      },
      x);
}

/// Of packets whose lanes are two numbers of 16 bits, each of them the upper half of a float: those in the lower bits,
/// and those in the upper ones, as floats.
template <int N>
MINRNN_INLINE Packet<float, N> lower_halves(Packet<float, N> pairs) {
  return bits_shifted_left<16>(pairs);
}
template <int N>
MINRNN_INLINE Packet<float, N> upper_halves(Packet<float, N> pairs) {
  return map<float>(
      [](const auto& bits) {
        using namespace Eigen::internal;
        return pand(bits, pset1frombits<std::remove_cvref_t<decltype(bits)>>(0xffff0000u));
      },
      pairs);
}

}  // namespace detail
}  // namespace minrnn
