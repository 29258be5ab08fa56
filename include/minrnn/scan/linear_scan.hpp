// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiles.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/scan/arguments.hpp"
#include "minrnn/scan/operators.hpp"
#include "minrnn/scan/stretches.hpp"

namespace minrnn {

/// How a scan goes through time. All forms compute the same function; `sequential` rounds like a loop over steps, and
/// `chunked` composes stretches of 256 steps, so that few long sequences can use all threads.
enum class ScanForm { automatic, sequential, chunked };

namespace detail {

inline Tiling scan_tiling(ScanForm form, Index features, Index time, Index batch) {
  const FrameCost cost{16.0 * static_cast<double>(features)};
  switch (form) {
    case ScanForm::sequential:
      return Tiling::of_steps(time, time, batch, cost);
    case ScanForm::chunked:
      return Tiling::of_steps(256, time, batch, cost);
    default:
      return Tiling(features, time, batch, cost);
  }
}

/// The recurrence of both scans. An operator Op{a, b} maps what is carried from step to step:
///
///             carried_t = Op{factor(a_t), factor(b_t)}(carried_{t-1});  h_t = Op::value(carried_t)
///
/// `factor` makes of the numbers that a and b hold what Op takes: itself, or the exponential of a logarithm. At a start
/// nothing is carried: a_t and carried_{t-1} are left out, whatever they are.
template <template <class> class Operator, class S, class Factor>
requires ScanOperator<Operator<Packet<S>>>
void scan(SequenceView<const S> a, SequenceView<const S> b, Matrix<S>& carry, SequenceView<S> h, ScanForm form,
          const Context& context, Factor&& factor) {
  const Index features = h.features();
  const auto op = [&](auto i, Index t, Index n, bool start) MINRNN_INLINE_LAMBDA {
    using P = typename decltype(i)::P;
    using Op = Operator<P>;
    return Op{start ? Op::carried(P(S(0))) : factor(a.row(t, n)[i]), factor(b.row(t, n)[i])};
  };
  run_stretches<Operator>(
      context, scan_tiling(form, features, h.time(), h.batch()), Direction::forward, a.starts(), carry,
      [&](Stretch s, S* whole_a, S* whole_b) {
        for (Index t = s.first; t < s.last; ++t) {
          const bool start = a.starts(t, s.sequence);
          for_lanes<S, kInterleaved>(
              features, [&](auto i) { compose(i, op(i, t, s.sequence, start), start, whole_a, whole_b, features); });
        }
      },
      [&](Stretch s, S* row) {
        for (Index t = s.first; t < s.last; ++t) {
          const bool start = a.starts(t, s.sequence);
          for_lanes<S, kInterleaved>(features, [&](auto i) {
            using P = typename decltype(i)::P;
            using Op = Operator<P>;
            const auto before = start ? Op::carried(P(S(0))) : load_carried<typename Op::Carried>(i, row, features);
            const auto carried = op(i, t, s.sequence, start)(before);
            store_carried(i, row, features, carried);
            h.row(t, s.sequence)[i] = Op::value(carried);
          });
        }
      });
}

/// The adjoint of both scans, delta_t = dh_t + a_{t+1} delta_{t+1}. gate(a) turns what is stored as a into the factor
/// of h_{t-1}; write(i, t, n, a_t, h_{t-1}, through, delta_t) stores the derivatives at the lanes i of sequence n.
/// `through` is what the product a_t h_{t-1} receives: delta_t, but at a start there is no such product, so a_t,
/// h_{t-1} and `through` are 0 there, whatever is stored.
template <class S, class Gate, class Write>
void scan_backward(SequenceView<const S> a, SequenceView<const S> h, const Matrix<S>& initial_state,
                   SequenceView<const S> dh, Matrix<S>& dstate, ScanForm form, const Context& context, Gate&& gate,
                   Write&& write) {
  const Index features = h.features();
  const Columns<const S> h_0 = initial_state;
  // The row carries dL/dh_t from the steps after t: it enters step t as a_{t+1} delta_{t+1} and leaves as a_t delta_t.
  run_stretches<Affine>(
      context, scan_tiling(form, features, h.time(), h.batch()), Direction::backward, a.starts(), dstate,
      [&](Stretch s, S* whole_a, S* whole_b) {
        for (Index t = s.last - 1; t >= s.first; --t) {
          const bool start = a.starts(t, s.sequence);
          for_lanes<S, kInterleaved>(features, [&](auto i) {
            using P = typename decltype(i)::P;
            const P a_t = gate(a.row(t, s.sequence)[i]), zero(S(0));
            const Affine<P> next{a_t, a_t * dh.row(t, s.sequence)[i]};
            compose(i, start ? Affine<P>{zero, zero} : next, start, whole_a, whole_b, features);
          });
        }
      },
      [&](Stretch s, S* row) {
        const Row<S> carried(row);
        for (Index t = s.last - 1; t >= s.first; --t) {
          const bool start = a.starts(t, s.sequence);
          const Row<const S> h_before = t > 0 ? h.row(t - 1, s.sequence) : h_0[s.sequence];
          for_lanes<S, kInterleaved>(features, [&](auto i) {
            using P = typename decltype(i)::P;
            const P delta = dh.row(t, s.sequence)[i] + P(carried[i]), zero(S(0));
            const P a_t = start ? zero : gate(a.row(t, s.sequence)[i]), through = start ? zero : delta;
            carried[i] = a_t * through;
            write(i, t, s.sequence, a_t, start ? zero : h_before[i], through, delta);
          });
        }
      });
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
  detail::check_scan<S>("linear_scan", {{"a", a}, {"b", b}, {"h", h}}, {{"state", state}});
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
  detail::check_scan<S>("linear_scan_backward", {{"a", a}, {"h", h}, {"dh", dh}, {"da", da}, {"db", db}},
                        {{"initial_state", initial_state}, {"dstate", dstate}});
  detail::scan_backward<S>(
      a, h, initial_state, dh, dstate, form, context, [](auto gate) { return gate; },
      [&](auto i, Index t, Index n, auto, auto h_before, auto through, auto delta) {
        da.row(t, n)[i] = h_before * through;
        db.row(t, n)[i] = delta;
      });
}

}  // namespace minrnn
