// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

/// Products in which a factor of 0, of a gate or a step size that is shut, makes nothing even of what has overflown:
/// there 0 times infinity is 0. They are slower, so `with_products` chooses them only where numbers are so large that
/// it could matter.
namespace minrnn::detail {

/// Products as the processor has them.
template <class P>
struct PlainProducts {
  MINRNN_INLINE static P times(const P& p, const P& q) { return p * q; }
  MINRNN_INLINE static P fma(const P& p, const P& q, const P& sum) { return minrnn::fma(p, q, sum); }
};

/// Products in which 0 wins; else with the same bits.
template <class P>
struct ZeroWinsProducts {
  MINRNN_INLINE static P times(const P& p, const P& q) { return unless_zero(p, q, p * q, P(typename P::Scalar(0))); }
  MINRNN_INLINE static P fma(const P& p, const P& q, const P& sum) {
    return unless_zero(p, q, minrnn::fma(p, q, sum), sum);
  }

 private:
  MINRNN_INLINE static P unless_zero(const P& p, const P& q, const P& result, const P& otherwise) {
    using S = typename P::Scalar;
    return select(p == S(0), otherwise, select(q == S(0), otherwise, result));
  }
};

/// The largest magnitude of n numbers.
template <class S>
S largest_magnitude(Row<const S> numbers, Index n) {
  Packet<S, 4> most(S(0));
  for_lanes<S, 4>(n, [&](auto i) { most = maximum(most, absolute(numbers[i])); });
  return most.largest();
}

/// Calls body(products) with the products that are right for numbers of up to `most`: those up to 2^20 (float) stay far
/// within the range of the scalar.
template <class P, class Body>
MINRNN_INLINE void with_products(const P& most, Body&& body) {
  using S = typename P::Scalar;
  constexpr S kTame = std::is_same_v<S, float> ? S(0x1p20) : S(0x1p160);
  if (any(P(kTame) < most)) [[unlikely]]
    body(ZeroWinsProducts<P>{});
  else
    body(PlainProducts<P>{});
}

}  // namespace minrnn::detail
