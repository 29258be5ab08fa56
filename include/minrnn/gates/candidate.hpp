// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"
#include "minrnn/math/activation.hpp"

namespace minrnn {

/// The candidate h~ of a minimal cell: `positive` applies g (as published for log space), `plain` is linear.
/// They are different functions, not two ways to compute one.
enum class Candidate { positive, plain };

namespace detail {

/// The candidate as a function of its pre-activation, and its derivative from its value.
template <Candidate kCandidate>
struct CandidateFunction {
  template <class P>
  MINRNN_INLINE static P candidate(P k) {
    if constexpr (kCandidate == Candidate::positive)
      return positive_candidate(k);
    else
      return k;
  }
  template <class P>
  MINRNN_INLINE static P slope(P h_tilde) {
    if constexpr (kCandidate == Candidate::positive)
      return positive_candidate_slope(h_tilde);
    else
      return P(typename P::Scalar(1));
  }
};

}  // namespace detail
}  // namespace minrnn
