// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

/// Two functions that differ by up to 5e-4: weights that were trained with one are for that one alone.
enum class GeluForm {
  tanh,  // torch.nn.GELU(approximate="tanh")
  exact  // by erf: torch.nn.GELU()
};

namespace detail {

/// (((c_n x + c_{n-1}) x + ...) x + c_0, the highest coefficient first.
template <class S, int N, class... C>
MINRNN_INLINE Packet<S, N> polynomial(Packet<S, N> x, S highest, C... coefficients) {
  Packet<S, N> sum(highest);
  ((sum = fma(sum, x, Packet<S, N>(static_cast<S>(coefficients)))), ...);
  return sum;
}

/// Phi(-a) exp(a^2 / 2) for the Gaussian distribution function Phi and a in [0, 40]. It falls as 1 / a: a polynomial in
/// t = (a - k) / (a + k), divided by a + k. Interpolated at the Chebyshev nodes; relative error below a fifth of eps.
template <class S, int N>
MINRNN_INLINE Packet<S, N> scaled_gaussian_tail(Packet<S, N> a) {
  using P = Packet<S, N>;
  constexpr bool kFloat = std::is_same_v<S, float>;
  const P k(kFloat ? S(4) : S(6)), reciprocal = P(S(1)) / (a + k), t = (a - k) * reciprocal;
  if constexpr (kFloat)
    return reciprocal * polynomial(t, S(-0.000125558385602), 0.00018899651942, 0.00156688168778, -0.00352097282399,
                                   -0.00752540241821, 0.0604061855143, -0.186523306758, 0.38713668307, -0.607896594145,
                                   0.755285138596);
  else
    return reciprocal * polynomial(t, S(2.7493918261001059543e-9), 2.2787110271762237228e-10, -3.7781656462958791608e-8,
                                   1.2465061270275198258e-8, 3.0459648053606865648e-7, -4.3553421321665766692e-7,
                                   -1.796292916880649918e-6, 6.8004515777986181418e-6, 1.0744123820591191798e-6,
                                   -0.000064753696120294184386, 0.00018136065734146473647, 0.000032870457290053120652,
                                   -0.0021316052361862957618, 0.010029820571123941421, -0.03098531550648623781,
                                   0.075171915675321843138, -0.15268023206447274548, 0.26797424584135514151,
                                   -0.41390358577559266418, 0.56896889181478923564, -0.70100902959086552499,
                                   0.77735177189336217397);
}

}  // namespace detail

/// GELU as it is defined, by the Gaussian distribution function Phi, and its derivative.
///   gelu(x) = x Phi(x) = x (1 + erf(x / sqrt(2))) / 2
///   gelu'(x) = Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)
/// Relative error: 9 eps for x >= -3; left of it x^2 eps, or 6 eps where the target has a fused multiply-add.
/// Source  Hendrycks and Gimpel 2016, "Gaussian error linear units"; torch.nn.GELU() without an argument.
template <class S, int N>
MINRNN_INLINE Gelu<S, N> exact_gelu(Packet<S, N> x) {
  using P = Packet<S, N>;
  const P y = minimum(maximum(x, P(S(-40))), P(S(40)));  // beyond it the density is 0, and Phi 0 or 1
  const P square = y * y, half(S(-0.5));
  // The square's own rounding, half of x^2 eps, would be the largest error of all.
  const P rounding = fma(y, y, -square), rough = detail::exp_of_bounded(square * half);
  const P density = fma(rough * half, rounding, rough);  // exp(-y^2 / 2)
  const P tail = density * detail::scaled_gaussian_tail(absolute(y));
  const P phi = select(x < P(S(0)), tail, P(S(1)) - tail);
  return {x * phi, fma(y * density, P(S(0.3989422804014326779399461)), phi)};
}

}  // namespace minrnn
