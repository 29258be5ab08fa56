// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/scan/linear_scan.hpp"
#include "minrnn/scan/operators.hpp"

namespace minrnn {

/// The scan of a first-order linear recurrence of positive numbers that are given by their logarithms, and may be far
/// beyond the range of S.
///
/// Equations   log h_t = log(exp(log a_t + log h_{t-1}) + exp(log b_t)), from h_0 = state; at a start of `log_a` a_t =
///             0. Carried as `Scaled` numbers: an integer exponent, and a mantissa in place of the fraction of the
///             logarithm
/// Shapes      log_a, log_b, h (H, T, B); state (H, B): enters as h_0 >= 0, leaves as h_T (h itself, not its logarithm)
/// Range       log_a <= 0 and any log_b; -inf is exact in both (a = 0, b = 0). No finite argument gives NaN or
///             infinity: where h would overflow it stays near the largest number of S. Beyond the range of `Scaled` a
///             logarithm counts as its end
/// Memory      h may be the memory of log_b, or of log_a
/// Throws      std::invalid_argument where shapes differ or a state is negative
/// Source      Feng et al. 2024, appendix B, composed pair by pair: the published difference of cumulative sums loses
///             digits in proportion to T, this form does not
template <class S>
void log_scan(SequenceView<const std::type_identity_t<S>> log_a, SequenceView<const std::type_identity_t<S>> log_b,
              Matrix<S>& state, SequenceView<std::type_identity_t<S>> h, ScanForm form = ScanForm::automatic,
              const Context& context = {}) {
  detail::check_scan<S>("log_scan", {{"log_a", log_a}, {"log_b", log_b}, {"h", h}}, {{"state", state}});
  detail::check_that(!(state.array() < S(0)).any(), "log_scan", "state", "no negative element", "one");
  Matrix<S> carry;
  detail::carry_state<ScaledAffine>(state, carry);
  detail::scan<ScaledAffine>(log_a, log_b, carry, h, form, context,
                             [](auto logarithm) MINRNN_INLINE_LAMBDA { return scaled_exp(logarithm); });
  detail::value_carry<ScaledAffine>(carry, state);
}

/// The adjoint of `log_scan`, from its arguments and its result h.
///
/// Gradient    delta_t = dh_t + a_{t+1} delta_{t+1};  dlog_a_t = a_t h_{t-1} delta_t;  dlog_b_t = b_t delta_t;
///             dh_0 = a_1 delta_1. 0 where the logarithm is -inf
/// Shapes      log_a, log_b, h, dh, dlog_a, dlog_b (H, T, B); dstate (H, B) as in `linear_scan_backward`
/// Memory      dlog_a and dlog_b are written, not added to; dlog_b may be the memory of dh
template <class S>
void log_scan_backward(SequenceView<const std::type_identity_t<S>> log_a,
                       SequenceView<const std::type_identity_t<S>> log_b, SequenceView<const std::type_identity_t<S>> h,
                       const Matrix<S>& initial_state, SequenceView<const std::type_identity_t<S>> dh,
                       Matrix<S>& dstate, SequenceView<std::type_identity_t<S>> dlog_a,
                       SequenceView<std::type_identity_t<S>> dlog_b, ScanForm form = ScanForm::automatic,
                       const Context& context = {}) {
  detail::check_scan<S>(
      "log_scan_backward",
      {{"log_a", log_a}, {"log_b", log_b}, {"h", h}, {"dh", dh}, {"dlog_a", dlog_a}, {"dlog_b", dlog_b}},
      {{"initial_state", initial_state}, {"dstate", dstate}});
  const auto exp_of = [](auto logarithm) MINRNN_INLINE_LAMBDA { return value_of(scaled_exp(logarithm)); };
  const auto finite = [](auto x) {
    const decltype(x) largest((std::numeric_limits<S>::max)());
    return maximum(minimum(x, largest), -largest);
  };
  detail::scan_backward<S>(log_a, h, initial_state, dh, dstate, form, context, exp_of,
                           [&](auto i, Index t, Index n, auto a_t, auto h_before, auto through, auto delta) {
                             const auto b_t = exp_of(log_b.row(t, n)[i]);
                             dlog_a.row(t, n)[i] = finite(a_t * h_before * through);
                             dlog_b.row(t, n)[i] = finite(b_t * delta);
                           });
}

}  // namespace minrnn
