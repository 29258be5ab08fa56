// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// The state of a layer that remembers nothing.
struct NoState {
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

/// What a layer without memory says of itself; see `FrameWise`.
template <class L, class Cache = typename L::Cache>
concept FrameMap = std::derived_from<Cache, CacheBase> &&
    requires(L layer, const L fixed, SequenceView<const typename L::Scalar> x, Cache& cache, const Context& context) {
  { fixed.apply(x, cache, context) } -> std::convertible_to<SequenceView<const typename L::Scalar>>;
  { layer.adjoint(x, cache, context) } -> std::convertible_to<SequenceView<const typename L::Scalar>>;
  { fixed.cache_sizes() } -> std::convertible_to<CacheBase::Sizes>;
};

/// The base of a layer without memory: it derives state, forward, backward, infer and step from what the layer does to
/// frames, each of them alone. For that the layer, `Derived`, is a `FrameMap`, that is, it has
///   apply(x, cache, context)     y of all frames of x, keeping for `adjoint` what it needs
///   adjoint(dy, cache, context)  dx, adding to the gradients; begins with
///                                cache.check_backward(name, cache_sizes(), dy)
///   evaluate(x, cache, context)  y without keeping anything; may be left out where it is `apply`
///   cache_sizes()                features in and out, and what else the kept blocks depend on
/// and a Cache that derives from CacheBase. The results live in cache.
template <class Derived, class S>
class FrameWise {
 public:
  using Scalar = S;
  using State = NoState;

  State initial_state(Index batch) const {
    detail::check_batch("initial_state", batch);
    return {};
  }

  template <class Cache>
  SequenceView<const S> forward(SequenceView<const S> x, State&, Cache& cache,
                                const Context& context = {}) const requires FrameMap<Derived, Cache> {
    cache.forget();
    const SequenceView<const S> y = self().apply(x, cache, context);
    cache.keep(self().cache_sizes(), x.time(), x.batch());
    return y.with_starts(x.starts());
  }
  template <class Cache>
  SequenceView<const S> backward(SequenceView<const S> dy, State&, Cache& cache,
                                 const Context& context = {}) requires FrameMap<Derived, Cache> {
    return static_cast<Derived&>(*this).adjoint(dy, cache, context);
  }
  template <class Cache>
  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache,
                                 const Context& context = {}) requires FrameMap<Derived, Cache> {
    return static_cast<Derived&>(*this).adjoint(dy, cache, context);
  }
  template <class Cache>
  SequenceView<const S> infer(SequenceView<const S> x, State&, Cache& cache,
                              const Context& context = {}) const requires FrameMap<Derived, Cache> {
    cache.forget();
    if constexpr (requires { self().evaluate(x, cache, context); })
      return SequenceView<const S>(self().evaluate(x, cache, context)).with_starts(x.starts());
    else
      return SequenceView<const S>(self().apply(x, cache, context)).with_starts(x.starts());
  }
  template <class Cache>
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache,
                          const Context& context = {}) const requires FrameMap<Derived, Cache> {
    return infer(x.sequence(), state, cache, context).frame(0);
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace minrnn
