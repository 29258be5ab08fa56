// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/scaled.hpp"

/// The two associative operators of a first-order linear recurrence. Sequential, chunked and one-step evaluation are
/// three ways to apply them.
/// Source  Blelloch 1990, "Prefix sums and their applications"; Feng et al. 2024, section 2.3 and appendix B.
namespace minrnn {

/// An associative operator of a scan: a map of what a recurrence carries from step to step, made of two of those.
///   identity()       the map that changes nothing
///   op(carried)      what it makes of what is carried
///   op.then(next)    op and then next, as one map: (op.then(next))(c) = next(op(c)), to rounding
///   value, carried   from what is carried to the number that it stands for, and back
template <class Op>
concept ScanOperator = requires(const Op op, const typename Op::Carried carried) {
  { Op::identity() } -> std::same_as<Op>;
  { op.then(op) } -> std::same_as<Op>;
  { op(carried) } -> std::same_as<typename Op::Carried>;
  { Op::carried(Op::value(carried)) } -> std::same_as<typename Op::Carried>;
  Op{carried, carried};
};

/// The map h -> a h + b. `then` composes: (a1, b1) then (a2, b2) = (a2 a1, a2 b1 + b2); identity (1, 0).
template <class P>
struct Affine {
  using Carried = P;  // what a recurrence carries from step to step
  P a, b;

  MINRNN_INLINE static Affine identity() { return {P(typename P::Scalar(1)), P(typename P::Scalar(0))}; }
  MINRNN_INLINE Carried operator()(Carried h) const { return fma(a, h, b); }
  MINRNN_INLINE Affine then(const Affine& next) const { return {next.a * a, fma(next.a, b, next.b)}; }

  MINRNN_INLINE static Carried carried(P h) { return h; }
  MINRNN_INLINE static P value(Carried h) { return h; }
};

/// The same map of positive numbers that no exponent bounds: what the scan carries through log space. Here a <= 1.
template <class P>
struct ScaledAffine {
  using Carried = Scaled<P>;
  Scaled<P> a, b;

  MINRNN_INLINE static ScaledAffine identity() { return {Scaled<P>::one(), Scaled<P>::none()}; }
  MINRNN_INLINE Carried operator()(const Carried& h) const { return detail::normalised(a * h + b); }
  MINRNN_INLINE ScaledAffine then(const ScaledAffine& next) const { return {detail::normalised(next.a * a), next(b)}; }

  MINRNN_INLINE static Carried carried(P h) { return scaled(h); }
  MINRNN_INLINE static P value(const Carried& h) { return value_of(h); }
};

namespace detail {

/// How many scalars what is carried has for each feature. A row of it holds plane after plane: with one plane the H
/// values of the features, with two their H mantissas and then their H exponents.
template <class Carried>
inline constexpr Index kPlanes = 1;
template <class P>
inline constexpr Index kPlanes<Scaled<P>> = 2;

template <class Carried, class Lanes, class S>
MINRNN_INLINE Carried load_carried(Lanes lanes, const S* row, [[maybe_unused]] Index features) {
  if constexpr (kPlanes<Carried> == 1)
    return lanes.load(row);
  else
    return {lanes.load(row), lanes.load(row + features)};
}
template <class Lanes, class S, class P>
MINRNN_INLINE void store_carried(Lanes lanes, S* row, Index, P carried) {
  lanes.store(row, carried);
}
template <class Lanes, class S, class P>
MINRNN_INLINE void store_carried(Lanes lanes, S* row, Index features, const Scaled<P>& carried) {
  lanes.store(row, carried.mantissa);
  lanes.store(row + features, carried.exponent);
}

/// Writes the state (H, B) to carry (planes H, B), as the recurrence carries it; `value_carry` is the way back.
template <template <class> class Operator, class S>
void carry_state(const Matrix<S>& state, Matrix<S>& carry) {
  using Whole = Operator<Packet<S>>;
  carry.resize(kPlanes<typename Whole::Carried> * state.rows(), state.cols());
  const Columns<const S> h = state;
  for (Index b = 0; b < h.count; ++b)
    for_lanes<S>(h.rows, [&](auto i) { store_carried(i, carry.col(b).data(), h.rows, Whole::carried(h[b][i])); });
}
template <template <class> class Operator, class S>
void value_carry(const Matrix<S>& carry, Matrix<S>& state) {
  using Whole = Operator<Packet<S>>;
  const Columns<S> h = state;
  for (Index b = 0; b < h.count; ++b)
    for_lanes<S>(h.rows, [&](auto i) {
      h[b][i] = Whole::value(load_carried<typename Whole::Carried>(i, carry.col(b).data(), h.rows));
    });
}

}  // namespace detail
}  // namespace minrnn
