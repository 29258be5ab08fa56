// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/log_space.hpp"
#include "minrnn/math/zero_wins.hpp"

namespace minrnn::detail {

/// Up to 64 steps of some channels (D) of one sequence: what the selective scan reads there. N states of each channel.
template <class S>
struct SelectiveBlock {
  static constexpr Index kMostSteps = 64;
  /// A track has a packet for each step. In scratch, not on the stack, which may be small: 64 KiB with AVX-512.
  static constexpr Index kTrack = kMostSteps * Packet<S, kInterleaved>::size, kScratch = 8 * kTrack;

  Columns<const S> u, raw, gate;  // (D, steps)
  Columns<const S> bc;            // (2 N, steps) B_t, then C_t, of all channels
  Columns<const S> a;             // (D, N)
  Row<const S> skip;              // (D)
  std::uint64_t start_bits;       // one for each step
  S largest;                      // magnitude in bc

  Index steps() const { return bc.count; }
  Index states() const { return a.count; }
  MINRNN_INLINE bool is_start(Index t) const { return (start_bits >> t & 1) != 0; }
  MINRNN_INLINE S b(Index t, Index n) const { return bc[t].data[n]; }
  MINRNN_INLINE S c(Index t, Index n) const { return bc[t].data[a.count + n]; }
};

/// What the adjoint of a block reads and writes beside the block itself.
template <class S>
struct SelectiveBlockAdjoint {
  Columns<const S> before;     // (D, N) the states before the block
  Columns<S> dh;               // (D, N) enters as dL/d(states after the block), leaves as that of those before
  Columns<const S> dy;         // (D, steps)
  Columns<S> du, draw, dgate;  // (D, steps) written
  Columns<S> dbc, da;          // (2 N, steps), (D, N) added to
  Row<S> dskip;                // (D) added to
};

/// The selective scan of one packet of channels through one block, and its adjoint; `selective_scan` has the equations.
/// One state after the other goes through all steps, while what the states share stays in L1: a packet for each step of
/// delta, x, s and what else has a track here.
template <class S, class Lanes>
class SelectiveLanes {
  using P = typename Lanes::P;

 public:
  /// With a copy of the block, as what lies behind a reference is read again after every store.
  MINRNN_INLINE SelectiveLanes(Lanes lanes, const SelectiveBlock<S>& block, S* scratch)
      : i_(lanes), block_(block), skip_(block.skip[lanes]), scratch_(scratch) {}

  /// y (D, steps), and h (D, N), the states, from those before the block to those after it.
  MINRNN_INLINE void forward(Columns<S> h, Columns<S> y) const {
    P most = largest_factor(h);
    for (Index t = 0; t < block_.steps(); ++t) most = maximum(most, discretise(t));
    with_products(most, [&](auto products) MINRNN_INLINE_LAMBDA {
      for (Index n = 0; n < block_.states(); ++n) {
        const P a = block_.a[n][i_];
        P h_t = h[n][i_];
        for (Index t = 0; t < block_.steps(); ++t) {
          if (block_.is_start(t)) h_t = P(S(0));
          h_t = products.fma(exp(delta(t) * a), h_t, products.times(x(t), block_.b(t, n)));
          s(t) = products.fma(h_t, block_.c(t, n), s(t));
        }
        h[n][i_] = h_t;
      }
    });
    for (Index t = 0; t < block_.steps(); ++t) y[t][i_] = gated(silu(block_.gate[t][i_]).value, P(s(t)));
  }

  MINRNN_INLINE void backward(const SelectiveBlockAdjoint<S>& adjoint) const {
    const SelectiveBlockAdjoint<S> d = adjoint;  // a copy, as that of the block
    P most = largest_factor(d.before), dskip = d.dskip[i_];
    for (Index t = 0; t < block_.steps(); ++t) {
      const P u = block_.u[t][i_], largest = discretise(t);
      const P ds_t = d.dy[t][i_] * silu(block_.gate[t][i_]).value;
      most = maximum(most, maximum(largest, absolute(ds_t)));
      ds(t) = ds_t;
      dx(t) = P(S(0));
      dexponent(t) = P(S(0));
      dskip = fma(u, ds_t, dskip);
    }
    d.dskip[i_] = dskip;
    with_products(most, [&](auto products) MINRNN_INLINE_LAMBDA {
      for (Index n = 0; n < block_.states(); ++n) through_time(products, n, states_again(products, n, d.before), d);
      to_inputs(products, d);
    });
  }

 private:
  /// delta_t, x_t = delta_t u_t, and of s_t what no state is part of. Returns the largest magnitude of the first two.
  MINRNN_INLINE P discretise(Index t) const {
    const P u = block_.u[t][i_], delta_t = softplus(block_.raw[t][i_]), x_t = delta_t * u;
    delta(t) = delta_t;
    x(t) = x_t;
    s(t) = skip_ * u;
    return maximum(delta_t, absolute(x_t));
  }

  /// The largest magnitude of A, of the states that enter the block, and of B and C.
  template <class T>
  MINRNN_INLINE P largest_factor(Columns<T> states) const {
    P most(block_.largest);
    for (Index n = 0; n < block_.states(); ++n)
      most = maximum(most, maximum(absolute(block_.a[n][i_]), absolute(P(states[n][i_]))));
    return most;
  }

  /// h_t of state n once more, for all t: h_{t-1} and e_t = exp(delta_t A) are noted, the last h_t is returned.
  template <class Products>
  MINRNN_INLINE P states_again(Products products, Index n, Columns<const S> before) const {
    const P a = block_.a[n][i_];
    P h = before[n][i_];
    for (Index t = 0; t < block_.steps(); ++t) {
      const P e_t = exp(delta(t) * a);
      h_before(t) = h;
      e(t) = e_t;
      h = products.fma(e_t, block_.is_start(t) ? P(S(0)) : h, products.times(x(t), block_.b(t, n)));
    }
    return h;
  }

  /// The adjoint of state n, from the last step to the first, beginning with the last h_t.
  template <class Products>
  MINRNN_INLINE void through_time(Products products, Index n, P h, const SelectiveBlockAdjoint<S>& d) const {
    const P a = block_.a[n][i_];
    P da = d.da[n][i_], carried = d.dh[n][i_];  // e_{t+1} g_{t+1}
    for (Index t = block_.steps(); t-- > 0;) {
      const P g = products.fma(ds(t), block_.c(t, n), carried);
      S *db = d.dbc[t].data, *dc = db + block_.states();
      db[n] += products.times(g, x(t)).sum();
      dc[n] += products.times(h, ds(t)).sum();
      s(t) = products.fma(h, block_.c(t, n), s(t));
      dx(t) = products.fma(g, block_.b(t, n), dx(t));
      h = h_before(t);
      if (block_.is_start(t)) {  // nothing crosses it, not even a NaN, which a product with 0 would let through
        carried = P(S(0));
        continue;
      }
      carried = products.times(e(t), g);
      const P dlog = products.times(carried, h);  // with respect to delta_t A
      dexponent(t) = products.fma(dlog, a, dexponent(t));
      da = products.fma(dlog, delta(t), da);
    }
    d.da[n][i_] = da;
    d.dh[n][i_] = carried;
  }

  template <class Products>
  MINRNN_INLINE void to_inputs(Products products, const SelectiveBlockAdjoint<S>& d) const {
    for (Index t = 0; t < block_.steps(); ++t) {
      const P ddelta = products.fma(block_.u[t][i_], dx(t), dexponent(t));
      d.du[t][i_] = products.fma(delta(t), dx(t), skip_ * P(ds(t)));
      d.draw[t][i_] = products.times(sigmoid(block_.raw[t][i_]), ddelta);
      d.dgate[t][i_] = products.times(d.dy[t][i_], products.times(silu(block_.gate[t][i_]).derivative, s(t)));
    }
  }

  MINRNN_INLINE auto track(Index number, Index t) const {
    using Whole = FullLanes<S, kInterleaved>;
    return RowLanes<Whole>(scratch_ + number * SelectiveBlock<S>::kTrack + t * P::size, Whole{0});
  }
  MINRNN_INLINE auto delta(Index t) const { return track(0, t); }
  MINRNN_INLINE auto x(Index t) const { return track(1, t); }
  MINRNN_INLINE auto s(Index t) const { return track(2, t); }
  MINRNN_INLINE auto ds(Index t) const { return track(3, t); }
  MINRNN_INLINE auto dx(Index t) const { return track(4, t); }
  MINRNN_INLINE auto dexponent(Index t) const { return track(5, t); }
  MINRNN_INLINE auto h_before(Index t) const { return track(6, t); }
  MINRNN_INLINE auto e(Index t) const { return track(7, t); }

  const Lanes i_;
  const SelectiveBlock<S> block_;
  const P skip_;
  S* const scratch_;
};

}  // namespace minrnn::detail
