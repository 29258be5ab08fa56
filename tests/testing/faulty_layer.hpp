// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/layer.hpp"

namespace minrnn::tests {

/// What FaultyLayer does wrong.
enum class Fault {
  none,
  wrong_dw,
  half_of_dw,
  wrong_dx_of_one_element,
  dstate_of_one_where_none_is_given,
  backward_changes_its_cache,
  gradient_replaces_the_sum,
  step_differs,
  step_rounds_otherwise,
  infer_differs,
  chunks_differ,
  two_frames_teach_nothing,
  no_frames_reset_the_state,
  no_sequences_are_one,
  past_times_zero,
  starts_are_ignored,
  gradient_times_zero,
  gradient_passes_starts,
  frame_ahead_times_zero,
  gradient_behind_times_zero,
  neighbour_times_zero,
  infinite_neighbour_counts,
  large_neighbour_counts,
  copies_share,
  cache_suffers_from_moves,
  larger_batch_leaves_something,
  weights_stay_in_the_cache,
  workers_differ,
  workers_of_infer_differ,
  last_cache_is_remembered,
  infer_leaves_a_valid_cache,
  features_are_not_checked,
  state_is_not_checked,
  dy_is_not_checked,
  dstate_is_not_checked,
  another_exception,
  state_changes_before_the_check,
};

/// A parameter that copies of a layer may wrongly share.
template <class S>
class MaybeShared {
 public:
  MaybeShared(Index size, bool is_shared) : parameter_(std::make_shared<Parameter<S>>(size)), is_shared_(is_shared) {}
  MaybeShared(const MaybeShared& other)
      : parameter_(other.is_shared_ ? other.parameter_ : std::make_shared<Parameter<S>>(*other.parameter_)),
        is_shared_(other.is_shared_) {}
  MaybeShared& operator=(const MaybeShared& other) {
    MaybeShared copy(other);
    std::swap(parameter_, copy.parameter_);
    is_shared_ = copy.is_shared_;
    return *this;
  }
  Parameter<S>& operator*() { return *parameter_; }
  const Parameter<S>& operator*() const { return *parameter_; }

 private:
  std::shared_ptr<Parameter<S>> parameter_;
  bool is_shared_;
};

/// What a layer that is const should not have. (Atomic, as threads may share the layer.)
class LastCache {
 public:
  LastCache() = default;
  LastCache(const LastCache&) {}
  LastCache& operator=(const LastCache&) { return *this; }
  const void* exchange(const void* cache) { return last_.exchange(cache); }

 private:
  std::atomic<const void*> last_ = nullptr;
};

/// h_t = h_{t-1} / 2 + w x_t, feature by feature, from zero; but for one fault a layer that keeps every promise.
template <class S>
class FaultyLayer {
 public:
  using Scalar = S;
  using View = SequenceView<const S>;
  struct State {
    Matrix<S> h;  // (F, B)
    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "h", self.h);
    }
  };
  struct Moved {
    bool has_moved = false;
    Moved() = default;
    Moved(Moved&&) : has_moved(true) {}
    Moved& operator=(Moved&&) {
      has_moved = true;
      return *this;
    }
  };
  struct Cache : CacheBase {
    Sequence<S> x, y, dx;  // (F, T, B)
    Matrix<S> w;           // (F)
    std::vector<bool> starts;
    Index largest_batch = 0, steps = 0;
    Moved moved;
  };

  FaultyLayer(Index features, Fault fault) : w_(features, fault == Fault::copies_share), fault_(fault) {
    for (Index i = 0; i < features; ++i) (*w_).value(i) = 1 + static_cast<S>(i) / 4;
  }
  Index input_size() const { return (*w_).size(); }
  Index output_size() const { return (*w_).size(); }
  State initial_state(Index batch) const { return {Matrix<S>::Zero(input_size(), batch)}; }

  View forward(View x, State& state, Cache& cache, const Context& context = {}) const {
    const View y = run(x, state, cache, is(Fault::workers_differ) && context.workers() > 2 ? S(1.001) : S(1));
    cache.keep({input_size(), output_size()}, x.time(), x.batch());
    return y;
  }
  View infer(View x, State& state, Cache& cache, const Context& context = {}) const {
    const bool differs = is(Fault::infer_differs) || (is(Fault::workers_of_infer_differ) && context.workers() > 2);
    const View y = run(x, state, cache, differs ? S(1.001) : S(1));
    if (is(Fault::infer_leaves_a_valid_cache)) cache.keep({input_size(), output_size()}, x.time(), x.batch());
    return y;
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& = {}) const {
    S scale = is(Fault::step_differs) ? S(1.001) : is(Fault::step_rounds_otherwise) ? 1 + S(1e-15) : S(1);
    const void* const last = last_cache_.exchange(&cache);
    if (is(Fault::last_cache_is_remembered) && cache.steps++ > 0 && last != &cache) scale = S(1.001);
    return run(x.sequence(), state, cache, scale).frame(0);
  }

  View backward(View dy, State& dstate, Cache& cache, const Context& = {}) {
    if (!is(Fault::dy_is_not_checked)) cache.check_backward("FaultyLayer", {input_size(), output_size()}, dy);
    if (!is(Fault::dstate_is_not_checked))
      minrnn::detail::check_matrix("FaultyLayer", "dstate.h", dstate.h, input_size(), cache.x.batch());
    const SequenceView<S> x = cache.x.view(), dx = cache.dx.resize(x.features(), x.time(), x.batch());
    if (is(Fault::gradient_replaces_the_sum)) (*w_).grad.setZero();
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = x.time(); t-- > 0;)
        for (Index i = 0; i < x.features(); ++i) backward(x, dy, t, b, i, dstate.h(i, b), dx, cache);
    if (is(Fault::backward_changes_its_cache) && x.batch() > 0) x.matrix(0) *= 2;
    if (is(Fault::cache_suffers_from_moves) && cache.moved.has_moved && x.batch() > 0) dx.matrix(0) *= 2;
    return dx;
  }
  View backward(View dy, Cache& cache, const Context& = {}) {
    State dstate = zero_state(*this, cache.x.batch());
    if (is(Fault::dstate_of_one_where_none_is_given)) dstate.h.setOnes();
    return backward(dy, dstate, cache);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", *self.w_);
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }

  void check_shapes(View x, State& state) const {
    if (is(Fault::state_changes_before_the_check)) state.h *= 2;
    if (is(Fault::another_exception) && x.features() != input_size()) throw std::runtime_error("x");
    if (!is(Fault::features_are_not_checked)) minrnn::detail::check_input("FaultyLayer", x, input_size());
    if (!is(Fault::state_is_not_checked))
      minrnn::detail::check_matrix("FaultyLayer", "state.h", state.h, input_size(), x.batch());
    if (is(Fault::state_changes_before_the_check)) state.h /= 2;
  }

  View run(View x, State& state, Cache& cache, S scale) const {
    check_shapes(x, state);
    if (is(Fault::no_frames_reset_the_state) && x.time() == 0) state.h.setZero();
    cache.forget();
    if (cache.w.size() == 0 || !is(Fault::weights_stay_in_the_cache)) cache.w = (*w_).value;
    cache.largest_batch = std::max(cache.largest_batch, x.batch());
    const SequenceView<S> kept = cache.x.resize(x.features(), x.time(), x.batch());
    const SequenceView<S> y = cache.y.resize(x.features(), x.time(), x.batch());
    cache.starts.clear();
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = 0; t < x.time(); ++t) {
        cache.starts.push_back(x.starts(t, b));
        for (Index i = 0; i < x.features(); ++i) {
          kept.column(t, b)[i] = x.column(t, b)[i];
          y.column(t, b)[i] = state.h(i, b) = scale * forward(x, t, b, i, state.h(i, b), cache);
        }
      }
    if (is(Fault::no_sequences_are_one) && x.batch() == 0) return View(y.data(), x.features(), x.time(), 1);
    return View(y).with_starts(x.starts());
  }

  S forward(View x, Index t, Index b, Index i, S before, const Cache& cache) const {
    if (x.starts(t, b) && !is(Fault::starts_are_ignored)) before = is(Fault::past_times_zero) ? 0 * before : 0;
    S h = before / 2 + cache.w(i) * x.column(t, b)[i];
    if (is(Fault::chunks_differ) && t == 0 && x.time() == 3) h += S(1e-3);
    if (is(Fault::frame_ahead_times_zero) && t + 1 < x.time()) h += 0 * x.column(t + 1, b)[i];
    if (b + 1 < x.batch()) h += from_neighbour(x.column(t, b + 1)[i]);
    if (is(Fault::larger_batch_leaves_something) && cache.largest_batch > x.batch()) h += S(1e-3);
    return h;
  }

  S from_neighbour(S x) const {
    if (is(Fault::neighbour_times_zero)) return 0 * x;
    const bool counts = (is(Fault::infinite_neighbour_counts) && std::isinf(x)) ||
                        (is(Fault::large_neighbour_counts) && std::isfinite(x) && x > S(1e20));
    return counts ? S(1e-3) : S(0);
  }

  void backward(View x, View dy, Index t, Index b, Index i, S& dh, SequenceView<S> dx, const Cache& cache) {
    const bool starts = cache.starts[static_cast<std::size_t>(b * x.time() + t)];
    const S delta = dy.column(t, b)[i] + dh;
    const S scale = is(Fault::wrong_dw) ? S(1.00001) : is(Fault::half_of_dw) ? S(0.5) : S(1);
    if (!(is(Fault::two_frames_teach_nothing) && x.time() == 2)) (*w_).grad(i) += scale * delta * x.column(t, b)[i];
    dx.column(t, b)[i] = delta * cache.w(i);
    if (is(Fault::wrong_dx_of_one_element) && t == 2 && b == 1 && i == 1) dx.column(t, b)[i] += S(1e-5);
    if (is(Fault::gradient_behind_times_zero) && t > 0) dx.column(t, b)[i] += 0 * dy.column(t - 1, b)[i];
    dh = delta / 2;
    if (starts && !is(Fault::gradient_passes_starts)) dh = is(Fault::gradient_times_zero) ? 0 * dh : 0;
  }

  MaybeShared<S> w_;
  Fault fault_;
  mutable LastCache last_cache_;
};
static_assert(SequenceLayer<FaultyLayer<float>> && SequenceLayer<FaultyLayer<double>>);

}  // namespace minrnn::tests
