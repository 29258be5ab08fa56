// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/scan/stretches.hpp"

namespace minrnn {

/// How a scan goes through time. All forms compute the same function; `sequential` rounds like a loop over steps, and
/// `chunked` composes stretches of 256 steps, so that few long sequences can use all threads.
enum class ScanForm { automatic, sequential, chunked };

namespace detail {

inline Tiling scan_tiling(ScanForm form, Index features, Index time, Index batch) {
  switch (form) {
    case ScanForm::sequential:
      return Tiling::of_steps(time, time, batch);
    case ScanForm::chunked:
      return Tiling::of_steps(256, time, batch);
    default:
      return Tiling(features, time, batch);
  }
}

/// The recurrence of both scans: carried_t = op_t(carried_{t-1}), h_t = value(carried_t). factor(p) turns what is
/// stored in a and b into the factors of the operator.
template <template <class> class Operator, class S, class Factor>
void scan(SequenceView<const S> a, SequenceView<const S> b, Matrix<S>& carry, SequenceView<S> h, ScanForm form,
          const Context& context, Factor&& factor) {
  const Index features = h.features();
  // At a start nothing is carried: a_t and what came before are left out, whatever they are.
  const auto op = [&](auto lanes, Index t, Index sequence, bool start) MINRNN_INLINE_LAMBDA {
    using P = typename decltype(lanes)::P;
    using Op = Operator<P>;
    return Op{start ? Op::carried(P(S(0))) : factor(lanes.load(a.column(t, sequence))),
              factor(lanes.load(b.column(t, sequence)))};
  };
  run_stretches<Operator>(
      context, scan_tiling(form, features, h.time(), h.batch()), Direction::forward, a.starts(), carry,
      [&](Stretch s, S* whole_a, S* whole_b) {
        for (Index t = s.first; t < s.last; ++t) {
          const bool start = a.starts(t, s.sequence);
          for_lanes<S, kInterleaved>(features, [&](auto lanes) {
            compose(lanes, op(lanes, t, s.sequence, start), start, whole_a, whole_b, features);
          });
        }
      },
      [&](Stretch s, S* row) {
        for (Index t = s.first; t < s.last; ++t) {
          const bool start = a.starts(t, s.sequence);
          for_lanes<S, kInterleaved>(features, [&](auto lanes) {
            using P = typename decltype(lanes)::P;
            using Op = Operator<P>;
            const auto before = start ? Op::carried(P(S(0))) : load_carried<typename Op::Carried>(lanes, row, features);
            const auto carried = op(lanes, t, s.sequence, start)(before);
            store_carried(lanes, row, features, carried);
            lanes.store(h.column(t, s.sequence), Op::value(carried));
          });
        }
      });
}

/// The adjoint of both scans, delta_t = dh_t + a_{t+1} delta_{t+1}. gate(a) turns what is stored as a into the factor
/// of h_{t-1}; write(lanes, t, b, a_t, h_{t-1}, through, delta_t) stores the derivatives. `through` is delta_t, what
/// the product a_t h_{t-1} receives; at a start there is no such product: a_t, h_{t-1} and `through` are 0, whatever
/// stands there.
template <class S, class Gate, class Write>
void scan_backward(SequenceView<const S> a, SequenceView<const S> h, const Matrix<S>& initial_state,
                   SequenceView<const S> dh, Matrix<S>& dstate, ScanForm form, const Context& context, Gate&& gate,
                   Write&& write) {
  const Index features = h.features();
  // The row carries dL/dh_t from the steps after t: it enters step t as a_{t+1} delta_{t+1} and leaves as a_t delta_t.
  run_stretches<Affine>(
      context, scan_tiling(form, features, h.time(), h.batch()), Direction::backward, a.starts(), dstate,
      [&](Stretch s, S* whole_a, S* whole_b) {
        for (Index t = s.last - 1; t >= s.first; --t) {
          const bool start = a.starts(t, s.sequence);
          for_lanes<S, kInterleaved>(features, [&](auto lanes) {
            using P = typename decltype(lanes)::P;
            const P f = gate(lanes.load(a.column(t, s.sequence))), zero(S(0));
            const Affine<P> next{f, f * lanes.load(dh.column(t, s.sequence))};
            compose(lanes, start ? Affine<P>{zero, zero} : next, start, whole_a, whole_b, features);
          });
        }
      },
      [&](Stretch s, S* row) {
        for (Index t = s.last - 1; t >= s.first; --t) {
          const bool start = a.starts(t, s.sequence);
          const S* before = t > 0 ? h.column(t - 1, s.sequence) : initial_state.col(s.sequence).data();
          for_lanes<S, kInterleaved>(features, [&](auto lanes) {
            using P = typename decltype(lanes)::P;
            const P delta = lanes.load(dh.column(t, s.sequence)) + lanes.load(row), zero(S(0));
            const P f = start ? zero : gate(lanes.load(a.column(t, s.sequence)));
            const P through = start ? zero : delta;
            lanes.store(row, f * through);
            write(lanes, t, s.sequence, f, start ? zero : lanes.load(before), through, delta);
          });
        }
      });
}

template <class S>
void check_scan(std::string_view where, std::string_view a, std::string_view b, SequenceView<const S> view_a,
                SequenceView<const S> view_b, std::string_view h, SequenceView<const S> view_h,
                std::string_view state_name, const Matrix<S>& state) {
  check_sequence(where, b, view_b, view_a.features(), view_a.time(), view_a.batch());
  check_sequence(where, h, view_h, view_a.features(), view_a.time(), view_a.batch());
  check_sequence(where, a, view_a, view_a.features());
  check_matrix(where, state_name, state, view_a.features(), view_a.batch());
}

}  // namespace detail

/// The scan of a first-order linear recurrence.
///
/// Equations   h_t = a_t h_{t-1} + b_t, from h_0 = state; at a start of `a` h_{t-1} counts as 0
/// Shapes      a, b, h (H, T, B); state (H, B): enters as h_0, leaves as h_T
/// Memory      h may be the memory of b, or of a
/// Throws      std::invalid_argument where shapes differ
/// Source      Martin and Cundy 2018, "Parallelizing linear recurrent neural nets over sequence length"
template <class S>
void linear_scan(SequenceView<const std::type_identity_t<S>> a, SequenceView<const std::type_identity_t<S>> b,
                 Matrix<S>& state, SequenceView<std::type_identity_t<S>> h, ScanForm form = ScanForm::automatic,
                 const Context& context = {}) {
  detail::check_scan<S>("linear_scan", "a", "b", a, b, "h", h, "state", state);
  detail::scan<Affine>(a, b, state, h, form, context, [](auto factor) MINRNN_INLINE_LAMBDA { return factor; });
}

/// The adjoint of `linear_scan`, from its arguments a, h_0 and its result h.
///
/// Gradient    delta_t = dh_t + a_{t+1} delta_{t+1};  da_t = h_{t-1} delta_t;  db_t = delta_t;  dh_0 = a_1 delta_1
/// Shapes      a, h, dh, da, db (H, T, B); dstate (H, B): enters as dL/dh_T from what follows, leaves as dL/dh_0
/// Memory      da and db are written, not added to; db may be the memory of dh
template <class S>
void linear_scan_backward(SequenceView<const std::type_identity_t<S>> a, SequenceView<const std::type_identity_t<S>> h,
                          const Matrix<S>& initial_state, SequenceView<const std::type_identity_t<S>> dh,
                          Matrix<S>& dstate, SequenceView<std::type_identity_t<S>> da,
                          SequenceView<std::type_identity_t<S>> db, ScanForm form = ScanForm::automatic,
                          const Context& context = {}) {
  detail::check_scan<S>("linear_scan_backward", "a", "h", a, h, "dh", dh, "initial_state", initial_state);
  detail::check_scan<S>("linear_scan_backward", "a", "da", a, da, "db", db, "dstate", dstate);
  detail::scan_backward<S>(
      a, h, initial_state, dh, dstate, form, context, [](auto gate) { return gate; },
      [&](auto lanes, Index t, Index b, auto, auto previous, auto through, auto delta) {
        lanes.store(da.column(t, b), previous * through);
        lanes.store(db.column(t, b), delta);
      });
}

}  // namespace minrnn
