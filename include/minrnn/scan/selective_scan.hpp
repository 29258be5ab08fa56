// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/partial_sums.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/log_space.hpp"

namespace minrnn {

/// What the selective scan reads: D channels of N states each.
template <class S>
struct SelectiveScanInputs {
  SequenceView<const S> u;     // (D, T, B), with the starts
  SequenceView<const S> raw;   // (D, T, B) step sizes before softplus
  SequenceView<const S> gate;  // (D, T, B) before silu
  SequenceView<const S> bc;    // (2 N, T, B) B_t, then C_t
  const Matrix<S>& a;          // (D, N), not above 0
  const Matrix<S>& skip;       // (D)
};

template <class S>
struct SelectiveScanGradients {
  SequenceView<S> du, draw, dgate;  // (D, T, B)
  SequenceView<S> dbc;              // (2 N, T, B)
  Matrix<S>&da, &dskip;             // (D, N), (D)
};

namespace detail {

/// The division of a selective scan among threads. A tile is some sequences, or one group of channels of one sequence
/// where sequences are few. Sums over channels are taken group by group, so they have the same bits either way.
class ChannelTiling {
 public:
  static constexpr Index kGroup = 64;

  ChannelTiling(Index channels, Index time, Index batch, Index most)
      : channels_(channels),
        batch_(batch),
        divided_(batch < kFewSequences && channels > kGroup && channels * time * batch >= kLeastWork),
        sequences_(channels * time * batch < kLeastWork ? std::max<Index>(batch, 1)
                                                        : std::max<Index>((batch + most - 1) / most, 1)) {}

  bool divided() const { return divided_; }
  Index groups() const { return (channels_ + kGroup - 1) / kGroup; }
  Index count() const { return divided_ ? batch_ * groups() : (batch_ + sequences_ - 1) / sequences_; }

  /// Calls body(sequence, group, first channel, channels) for each group of each sequence of a tile.
  template <class Body>
  void for_groups(Index tile, Body&& body) const {
    const auto call = [&](Index b, Index group) {
      body(b, group, group * kGroup, std::min<Index>(kGroup, channels_ - group * kGroup));
    };
    if (divided_) return call(tile / groups(), tile % groups());
    for (Index b = tile * sequences_; b < std::min<Index>(batch_, (tile + 1) * sequences_); ++b)
      for (Index group = 0; group < groups(); ++group) call(b, group);
  }

 private:
  static constexpr Index kFewSequences = 8, kLeastWork = 4096;
  Index channels_, batch_;
  bool divided_;
  Index sequences_;
};

}  // namespace detail

/// The selective state space of Mamba (S6), discretised as its official code does: zero-order hold for A, Euler for B.
///
/// Equations   delta = softplus(raw);  h_t[d,n] = exp(delta_t[d] A[d,n]) h_{t-1}[d,n] + delta_t[d] B_t[n] u_t[d], where
///             h_{t-1} counts as 0 at a start;  s_t[d] = sum_n C_t[n] h_t[d,n] + skip[d] u_t[d];  y = s silu(gate)
/// Gradient    ds = silu(gate) dy;  dgate = s silu'(gate) dy;  with e_t = exp(delta_t A), x_t = delta_t u_t:
///             g_t = C_t ds_t + e_{t+1} g_{t+1};  dB_t = sum_d g_t x_t;  dC_t = sum_d h_t ds_t;  dx_t = sum_n g_t B_t;
///             dA = sum_t delta_t e_t g_t h_{t-1};  draw_t = sigmoid(raw_t) (u_t dx_t + sum_n A e_t g_t h_{t-1});
///             du_t = delta_t dx_t + skip ds_t;  dskip = sum_t u_t ds_t
/// Shapes      D channels, N states; u, raw, gate, y (D, T, B); bc (2 N, T, B) B_t, then C_t; a (D, N); skip (D);
///             state (D N, B), channels fastest: enters as h_0, leaves as h_T
/// Memory      kept for backward: the states at the borders of blocks of 64 steps, D N / 64 scalars per step. delta, s
///             and the (D, N) expansion of a block are computed again in backward and stay in L1: 2 packets of
///             channels, one n at a time
/// Threads     each has sequences, or groups of 64 channels where sequences are few
/// Throws      std::invalid_argument where shapes differ
/// Source      Gu and Dao 2023, "Mamba: Linear-time sequence modeling with selective state spaces"
template <class S>
class SelectiveScan {
 public:
  using Inputs = SelectiveScanInputs<S>;
  using Gradients = SelectiveScanGradients<S>;

  /// Writes y; remembers for `backward` what it needs beside the inputs where `keep` says so.
  void forward(const Inputs& in, Matrix<S>& state, SequenceView<S> y, bool keep, const Context& context = {}) {
    check("SelectiveScan::forward", in, "y", y, "state", state);
    kept_.forget();
    const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time();
    const SequenceView<S> borders =
        keep ? borders_.resize(channels * states, blocks_of(time), in.u.batch()) : SequenceView<S>();
    const SequenceView<S> columns = columns_.resize(kMostColumns * kColumnSize, 1, context.workers());
    const detail::ChannelTiling tiling(channels, time, in.u.batch(), kMostTiles);
    parallel_for(context, tiling.count(), [&](Index tile, Index worker) {
      S* const scratch = columns.column(0, worker);
      tiling.for_groups(tile, [&](Index b, Index, Index channel, Index count) {
        S* row = state.col(b).data() + channel;
        for (Index first = 0; first < time; first += kBlock) {
          if (keep)
            for (Index n = 0; n < states; ++n)
              std::copy_n(row + n * channels, count, borders.column(first / kBlock, b) + channel + n * channels);
          const Block shared(in, first, b);
          for_lanes<S, kInterleaved>(count, [&](auto lanes) {
            using P = typename decltype(lanes)::P;
            const Block block = shared;  // what lies behind a reference is read again after every store
            const auto column = [scratch](Index i) { return Column<P>{scratch + i * kBlock * P::size}; };
            const Column<P> delta = column(0), x = column(1), out = column(2);
            const P skip = lanes.load(in.skip.data() + channel);
            P most = largest_factor(lanes, in, row, channel, block);
            for (Index i = 0; i < block.steps; ++i) {
              const P u = lanes.load(in.u.column(first + i, b) + channel);
              const P d = softplus(lanes.load(in.raw.column(first + i, b) + channel)), x_i = d * u;
              most = maximum(most, maximum(d, absolute(x_i)));
              delta.set(i, d);
              x.set(i, x_i);
              out.set(i, skip * u);
            }
            with_products(most, [&](auto of) MINRNN_INLINE_LAMBDA {
              for (Index n = 0; n < block.states; ++n) {
                const P a = lanes.load(in.a.col(n).data() + channel);
                P h = lanes.load(row + n * channels);
                for (Index i = 0; i < block.steps; ++i) {
                  if (block.is_start(i)) h = P(S(0));
                  h = of.add(exp(delta[i] * a), h, of.times(x[i], P(block.b_of(i, n))));
                  out.set(i, of.add(h, P(block.c_of(i, n)), out[i]));
                }
                lanes.store(row + n * channels, h);
              }
            });
            for (Index i = 0; i < block.steps; ++i) {
              const P gate = lanes.load(in.gate.column(first + i, b) + channel);
              lanes.store(y.column(first + i, b) + channel, gated(silu(gate).value, out[i]));
            }
          });
        }
      });
    });
    if (keep) kept_.keep(sizes(in), time, in.u.batch());
  }

  /// The adjoint of the last `forward` that kept, from its inputs. Writes all gradients, adds to none. dstate (D N, B)
  /// enters as dL/dh_T from what follows and leaves as dL/dh_0.
  void backward(const Inputs& in, SequenceView<const S> dy, Matrix<S>& dstate, const Gradients& out,
                const Context& context = {}) {
    kept_.check_backward("SelectiveScan::backward", sizes(in), dy);
    check("SelectiveScan::backward", in, "dy", dy, "dstate", dstate);
    check("SelectiveScan::backward", in, "du", out.du, "dstate", dstate);
    check("SelectiveScan::backward", in, "draw", out.draw, "dstate", dstate);
    check("SelectiveScan::backward", in, "dgate", out.dgate, "dstate", dstate);
    const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time(), batch = in.u.batch();
    detail::check_sequence("SelectiveScan::backward", "dbc", SequenceView<const S>(out.dbc), 2 * states, time, batch);
    const SequenceView<const S> borders = borders_.view();
    const Index sums_size = channels * (states + 1);
    const detail::ChannelTiling tiling(channels, time, batch, Tiling::most_for_sums(sums_size));
    sums_.reset(sums_size, tiling.count(), context);
    const SequenceView<S> parts =
        tiling.divided() ? parts_.resize(2 * states, time, batch * tiling.groups()) : SequenceView<S>();
    const SequenceView<S> columns = columns_.resize(kMostColumns * kColumnSize, 1, context.workers());
    const SequenceView<S> group_sums = group_sums_.resize(2 * states, kBlock, context.workers());
    parallel_for(context, tiling.count(), [&](Index tile, Index worker) {
      S* const scratch = columns.column(0, worker);
      S* dbc = group_sums.column(0, worker);
      S* sums = sums_.tile(tile);  // da, dskip
      tiling.for_groups(tile, [&](Index b, Index group, Index channel, Index count) {
        S* row = dstate.col(b).data() + channel;
        for (Index number = blocks_of(time); number-- > 0;) {
          const Index first = number * kBlock;
          const Block shared(in, first, b);
          std::fill_n(dbc, 2 * states * shared.steps, S(0));
          for_lanes<S, kInterleaved>(count, [&](auto lanes) {
            using P = typename decltype(lanes)::P;
            const Block block = shared;  // what lies behind a reference is read again after every store
            const auto at = [&](auto view, Index i) { return view.column(first + i, b) + channel; };
            const auto column = [scratch](Index i) { return Column<P>{scratch + i * kBlock * P::size}; };
            const Column<P> delta = column(0), x = column(1), s = column(2), ds = column(3), dx = column(4),
                            dexponent = column(5), before = column(6), factor = column(7);
            S* dskip_sum = sums + channels * states + channel;
            const P skip = lanes.load(in.skip.data() + channel);
            P dskip = lanes.load(dskip_sum);
            const S* border = borders.column(number, b) + channel;
            P most = largest_factor(lanes, in, border, channel, block);
            for (Index i = 0; i < block.steps; ++i) {
              const P u = lanes.load(at(in.u, i)), d = softplus(lanes.load(at(in.raw, i)));
              const P ds_i = lanes.load(at(dy, i)) * silu(lanes.load(at(in.gate, i))).value, x_i = d * u;
              most = maximum(most, maximum(maximum(d, absolute(x_i)), absolute(ds_i)));
              delta.set(i, d);
              x.set(i, x_i);
              s.set(i, skip * u);
              ds.set(i, ds_i);
              dx.set(i, P(S(0)));
              dexponent.set(i, P(S(0)));
              dskip = fma(u, ds_i, dskip);
            }
            lanes.store(dskip_sum, dskip);
            with_products(most, [&](auto of) MINRNN_INLINE_LAMBDA {
              for (Index n = 0; n < block.states; ++n) {
                const P a = lanes.load(in.a.col(n).data() + channel);
                P h = lanes.load(border + n * channels);
                for (Index i = 0; i < block.steps; ++i) {
                  const P e = exp(delta[i] * a);
                  before.set(i, h);
                  factor.set(i, e);
                  h = of.add(e, block.is_start(i) ? P(S(0)) : h, of.times(x[i], P(block.b_of(i, n))));
                }
                S* da_sum = sums + n * channels + channel;
                P da = lanes.load(da_sum), carried = lanes.load(row + n * channels);
                for (Index i = block.steps; i-- > 0;) {
                  const P g = of.add(ds[i], P(block.c_of(i, n)), carried);
                  dbc[i * 2 * states + n] += of.times(g, x[i]).sum();
                  dbc[i * 2 * states + states + n] += of.times(h, ds[i]).sum();
                  s.set(i, of.add(h, P(block.c_of(i, n)), s[i]));
                  dx.set(i, of.add(g, P(block.b_of(i, n)), dx[i]));
                  h = before[i];
                  if (block.is_start(i)) {  // not a factor of 0, which would leave what is no number one
                    carried = P(S(0));
                    continue;
                  }
                  carried = of.times(factor[i], g);
                  const P dlog = of.times(carried, h);  // with respect to delta_t A
                  dexponent.set(i, of.add(dlog, a, dexponent[i]));
                  da = of.add(dlog, delta[i], da);
                }
                lanes.store(da_sum, da);
                lanes.store(row + n * channels, carried);
              }
              for (Index i = 0; i < block.steps; ++i) {
                const P u = lanes.load(at(in.u, i)), ddelta = of.add(u, dx[i], dexponent[i]);
                lanes.store(at(out.du, i), of.add(delta[i], dx[i], skip * ds[i]));
                lanes.store(at(out.draw, i), of.times(sigmoid(lanes.load(at(in.raw, i))), ddelta));
                const P slope = of.times(silu(lanes.load(at(in.gate, i))).derivative, s[i]);
                lanes.store(at(out.dgate, i), of.times(lanes.load(at(dy, i)), slope));
              }
            });
          });
          for (Index i = 0; i < shared.steps; ++i) {
            S* to =
                tiling.divided() ? parts.column(first + i, b * tiling.groups() + group) : out.dbc.column(first + i, b);
            const bool adds = !tiling.divided() && group > 0;
            const S* from = dbc + i * 2 * states;
            for (Index n = 0; n < 2 * states; ++n) to[n] = adds ? to[n] + from[n] : from[n];
          }
        }
      });
    });
    if (tiling.divided()) add_parts(parts, tiling.groups(), out.dbc);
    out.da.setZero(channels, states);
    out.dskip.setZero(channels, 1);
    sums_.add_to(0, out.da, context);
    sums_.add_to(channels * states, out.dskip, context);
  }

 private:
  static constexpr Index kBlock = 64, kMostTiles = 32, kMostColumns = 8;
  static constexpr Index kColumnSize = kBlock * Packet<S, kInterleaved>::size;

  /// A packet of channels for each step of a block, in L1. Not on the stack, which may be small: 64 KiB with AVX-512.
  template <class P>
  struct Column {
    S* values;
    MINRNN_INLINE P operator[](Index i) const { return P::load(values + i * P::size); }
    MINRNN_INLINE void set(Index i, const P& p) const { p.store(values + i * P::size); }
  };

  /// A block of steps of one sequence, and what all its channels read.
  struct Block {
    Index steps, states;
    const S* bc;                   // (2 N, steps)
    S largest;                     // magnitude of these
    std::uint64_t start_bits = 0;  // one for each step

    Block(const Inputs& in, Index first, Index b)
        : steps(std::min<Index>(kBlock, in.u.time() - first)),
          states(in.a.cols()),
          bc(in.bc.column(first, b)),
          largest(largest_magnitude(bc, 2 * states * steps)) {
      if (in.u.starts().flags == nullptr) return;
      for (Index i = 0; i < steps; ++i) start_bits |= std::uint64_t{in.u.starts(first + i, b)} << i;
    }
    MINRNN_INLINE bool is_start(Index i) const { return (start_bits >> i & 1) != 0; }
    MINRNN_INLINE S b_of(Index i, Index n) const { return bc[i * 2 * states + n]; }
    MINRNN_INLINE S c_of(Index i, Index n) const { return bc[(i * 2 + 1) * states + n]; }

    static_assert(kBlock <= 64);
  };

  /// Products as they are.
  struct Plain {
    template <class P>
    MINRNN_INLINE static P times(const P& p, const P& q) {
      return p * q;
    }
    template <class P>
    MINRNN_INLINE static P add(const P& p, const P& q, const P& sum) {
      return fma(p, q, sum);
    }
  };
  /// Products in which a factor of 0, of a gate or a step size that is shut, makes nothing even of what has overflown;
  /// else with the same bits.
  struct ZeroWins {
    template <class P>
    MINRNN_INLINE static P times(const P& p, const P& q) {
      return kept(p, q, p * q, P(S(0)));
    }
    template <class P>
    MINRNN_INLINE static P add(const P& p, const P& q, const P& sum) {
      return kept(p, q, fma(p, q, sum), sum);
    }

   private:
    template <class P>
    MINRNN_INLINE static P kept(const P& p, const P& q, const P& product, const P& otherwise) {
      return select(p == S(0), otherwise, select(q == S(0), otherwise, product));
    }
  };

  static S largest_magnitude(const S* numbers, Index n) {
    Packet<S, 4> most(S(0));
    for_lanes<S, 4>(n, [&](auto lanes) { most = maximum(most, absolute(lanes.load(numbers))); });
    return most.largest();
  }

  /// The largest magnitude of A, of the states (D, N) that enter a block, and of its B and C.
  template <class Lanes>
  MINRNN_INLINE static typename Lanes::P largest_factor(Lanes lanes, const Inputs& in, const S* h, Index channel,
                                                        const Block& block) {
    typename Lanes::P most(block.largest);
    for (Index n = 0; n < in.a.cols(); ++n)
      most = maximum(
          most, maximum(absolute(lanes.load(in.a.col(n).data() + channel)), absolute(lanes.load(h + n * in.a.rows()))));
    return most;
  }

  /// Calls body(of), `of` the products of numbers of up to `most`: those up to 2^20 (float) stay far within the range
  /// of S.
  template <class P, class Body>
  MINRNN_INLINE static void with_products(const P& most, Body&& body) {
    constexpr S kTame = std::is_same_v<S, float> ? S(0x1p20) : S(0x1p160);
    if (select(P(kTame) < most, P(S(1)), P(S(0))).sum() == S(0)) [[likely]]
      body(Plain{});
    else
      body(ZeroWins{});
  }

  static Index blocks_of(Index time) { return (time + kBlock - 1) / kBlock; }

  static void add_parts(SequenceView<const S> parts, Index groups, SequenceView<S> sum) {
    for (Index b = 0; b < sum.batch(); ++b)
      for (Index group = 0; group < groups; ++group) {
        const auto part = parts.matrix(b * groups + group);
        auto whole = sum.matrix(b);
        if (group == 0)
          whole = part;
        else
          whole += part;
      }
  }

  static CacheBase::Sizes sizes(const Inputs& in) { return {in.a.rows(), in.a.rows(), in.a.cols()}; }

  static void check(std::string_view where, const Inputs& in, std::string_view result_name,
                    SequenceView<const S> result, std::string_view state_name, const Matrix<S>& state) {
    const Index channels = in.a.rows(), states = in.a.cols(), time = in.u.time(), batch = in.u.batch();
    detail::check_sequence(where, "u", in.u, channels);
    detail::check_sequence(where, "raw", in.raw, channels, time, batch);
    detail::check_sequence(where, "gate", in.gate, channels, time, batch);
    detail::check_sequence(where, "bc", in.bc, 2 * states, time, batch);
    detail::check_matrix(where, "skip", in.skip, channels, 1);
    detail::check_sequence(where, result_name, result, channels, time, batch);
    detail::check_matrix(where, state_name, state, channels * states, batch);
  }

  // kept for backward
  CacheBase kept_;
  Sequence<S> borders_;  // (D N, blocks, B)
  // scratch
  Sequence<S> parts_;            // (2 N, T, B groups) dbc of each group of channels
  Sequence<S> group_sums_;       // (2 N, block, workers) dbc of a group in a block
  Sequence<S> columns_;          // (block of a packet, 8, workers)
  detail::PartialSums<S> sums_;  // per tile: da, dskip
};

}  // namespace minrnn
