// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "minrnn/attention/key_ring.hpp"
#include "minrnn/attention/multi_head.hpp"
#include "minrnn/attention/rotary.hpp"
#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/layers/linear.hpp"

namespace minrnn {

struct AttentionOptions {
  Index head_size = 0;  // features of a head, even; 0: features / heads
  Index window = 1024;  // frames that an output sees, its own included
  double base = 10000;  // of the rotary frequencies
};

/// Causal multi-head self-attention over a window, with rotary positions.
///
/// Equations   (q, k, v) = W_qkv x;  for each head of E features, with R(t) the rotation by position t:
///             s_tj = <R(t) q_t, R(j) k_j> / sqrt(E) for the keys j of the last `window` frames since the last start;
///             p_t = softmax(s_t);  o_t = sum_j p_tj v_j;  y = W_out o
///             R(t) turns the pair (e, e + E/2) by the angle t base^(-2 e / E)
/// Shapes      x, y (F, T, B); q, k, v, o (heads E, T, B); qkv/w (3 heads E, F), rows q, k, v, head after head;
///             out/w (F, heads E); state: keys, turned, and values (heads E R, B), a ring of R = window rounded up to a
///             power of two frames, and position (1, B), frames since the last start
/// Positions   Queries and keys are turned by their positions, so a score depends on the distance of two frames alone,
///             and a window may slide for ever. No position is learned, so a text may be longer than any that the layer
///             was trained on. Each frequency is rounded to whole turns in 2^20 frames: positions count modulo 2^20,
///             and a stream needs no end
/// Gradient    dqkv from do = W_out^T dy by `AttentionHead`, which computes its tiles again; dq and dk turned back;
///             dx = W_qkv^T dqkv
/// Parameters  qkv, out; as Linear at first, without biases
/// Memory      kept for backward: 7 heads E + 3 heads scalars per step. Scratch of a thread grows with T
/// Threads     each has heads of sequences
/// Throws      std::invalid_argument for a size below 1, an odd head size, a window above 2^19, a wrong shape
/// Source      Vaswani et al. 2017, "Attention is all you need"; Su et al. 2021, "RoFormer"; Dao et al. 2022
template <class S>
class Attention {
 public:
  using Scalar = S;
  using State = AttentionState<S>;
  static constexpr bool kHasOwnProjections = true;  // see MixerWithProjections

  class Cache : public CacheBase {
    friend Attention;
    typename Linear<S>::Cache qkv_, out_;
    LastResult<S> result_;
    typename detail::MultiHead<S>::Memory heads_;
  };

  Attention(Index features, Index heads, RandomStream stream, const AttentionOptions& options = {})
      : Attention(features, heads, checked(features, heads, options), stream) {}

  Index input_size() const { return qkv_.input_size(); }
  Index output_size() const { return qkv_.input_size(); }

  State initial_state(Index batch) const {
    detail::check_batch("Attention", batch);
    return {Matrix<S>::Zero(ring_size(), batch), Matrix<S>::Zero(ring_size(), batch), Matrix<S>::Zero(1, batch)};
  }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache,
                                const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    x = cache.result_.keep(x);
    NoState none;
    const SequenceView<const S> qkv = qkv_.forward(x, none, cache.qkv_, context);  // (q, k, v) = W_qkv x
    const SequenceView<const S> o = heads_.forward(x, qkv, state, cache.heads_, context);
    const SequenceView<const S> y = out_.forward(o, none, cache.out_, context);  // y = W_out o
    cache.keep(sizes(), x.time(), x.batch());
    return cache.result_.note(y).with_starts(x.starts());
  }

  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("Attention", sizes(), dy);
    check_state("dstate.keys", "dstate.values", "dstate.position", dstate, dy.batch());
    NoState none;
    const SequenceView<const S> d_o = out_.backward(dy, none, cache.out_, context);  // do = W_out^T dy
    const SequenceView<const S> dqkv = heads_.backward(d_o, dstate, cache.heads_, context);
    return qkv_.backward(dqkv, none, cache.qkv_, context);  // dx = W_qkv^T dqkv
  }

  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    if (x.time() == 1) return step(x.frame(0), state, cache, context).sequence();
    const SequenceView<const S> y = forward(x, state, cache, context);
    cache.forget();
    return y;
  }

  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    check_argument(x.sequence(), state);
    cache.forget();
    NoState none;
    const FrameView<const S> qkv = qkv_.step(x, none, cache.qkv_, context);
    const FrameView<const S> o = heads_.step(x, qkv, state, cache.heads_, context);
    return cache.result_.note(out_.step(o, none, cache.out_, context)).with_starts(x.starts());
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Linear<S>::visit(self.qkv_, scope / "qkv", visitor);
    Linear<S>::visit(self.out_, scope / "out", visitor);
  }

 private:
  static AttentionOptions checked(Index features, Index heads, AttentionOptions options) {
    detail::check_size("Attention", "features", features);
    detail::check_size("Attention", "heads", heads);
    if (options.head_size == 0) {
      detail::check_that(features % heads == 0, "Attention", "heads", {"a divisor of ", features, " features"}, heads);
      options.head_size = features / heads;
    }
    detail::check_that(options.head_size >= 2 && options.head_size % 2 == 0, "Attention", "head_size", "an even size",
                       options.head_size);
    detail::check_product("Attention", "heads", heads, options.head_size);
    detail::check_that(options.window >= 1 && options.window <= detail::Rotary<S>::kTurn / 2, "Attention", "window",
                       "from 1 to 2^19 frames", options.window);
    detail::check_that(options.base > 1 && detail::is_finite(options.base), "Attention", "base",
                       "a finite number above 1", options.base);
    return options;
  }

  Attention(Index features, Index heads, const AttentionOptions& options, RandomStream stream)
      : qkv_(features, 3 * heads * options.head_size, stream.stream(0), {.bias = false}),
        out_(heads * options.head_size, features, stream.stream(1), {.bias = false}),
        heads_(heads, options.head_size, options.window, options.base) {}

  CacheBase::Sizes sizes() const {
    return {input_size(), output_size(), heads_.heads(), heads_.head_size(), heads_.window().frames()};
  }
  Index ring_size() const { return heads_.inner() * heads_.window().ring(); }

  void check_state(std::string_view keys, std::string_view values, std::string_view position, const State& state,
                   Index batch) const {
    detail::check_matrix("Attention", keys, state.keys, ring_size(), batch);
    detail::check_matrix("Attention", values, state.values, ring_size(), batch);
    detail::check_matrix("Attention", position, state.position, 1, batch);
  }
  void check_argument(SequenceView<const S> x, const State& state) const {
    detail::check_input("Attention", x, input_size());
    check_state("state.keys", "state.values", "state.position", state, x.batch());
  }

  Linear<S> qkv_, out_;
  detail::MultiHead<S> heads_;
};

}  // namespace minrnn
