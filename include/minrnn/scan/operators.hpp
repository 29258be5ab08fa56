// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/kernels/lanes.hpp"
#include "minrnn/math/scaled.hpp"

/// The two associative operators of a first-order linear recurrence. Sequential, chunked and one-step evaluation are
/// three ways to apply them.
/// Source  Blelloch 1990, "Prefix sums and their applications"; Feng et al. 2024, section 2.3 and appendix B.
namespace minrnn {

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

/// The scalars of each feature that rows of what is carried hold, one row of the features after the other.
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

/// carry (planes H, B), what is carried of the state (H, B), and back.
template <template <class> class Operator, class S>
void carry_state(const Matrix<S>& state, Matrix<S>& carry) {
  using Whole = Operator<Packet<S>>;
  carry.resize(kPlanes<typename Whole::Carried> * state.rows(), state.cols());
  for (Index b = 0; b < state.cols(); ++b)
    for_lanes<S>(state.rows(), [&](auto lanes) {
      store_carried(lanes, carry.col(b).data(), state.rows(), Whole::carried(lanes.load(state.col(b).data())));
    });
}
template <template <class> class Operator, class S>
void value_carry(const Matrix<S>& carry, Matrix<S>& state) {
  using Whole = Operator<Packet<S>>;
  for (Index b = 0; b < state.cols(); ++b)
    for_lanes<S>(state.rows(), [&](auto lanes) {
      lanes.store(state.col(b).data(),
                  Whole::value(load_carried<typename Whole::Carried>(lanes, carry.col(b).data(), state.rows())));
    });
}

}  // namespace detail
}  // namespace minrnn
