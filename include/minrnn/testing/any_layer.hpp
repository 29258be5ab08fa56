// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/testing/any_value.hpp"

/// Layers whose type is not known where they are used: what is asked of every layer is compiled once for each scalar,
/// not once more for each layer.
namespace minrnn::detail::erased {

/// The cache of any layer; it becomes that of the layer that is the first to use it.
class AnyCache {
 public:
  AnyCache() = default;
  AnyCache(AnyCache&&) = default;
  AnyCache& operator=(AnyCache&&) = default;

  template <class Cache>
  Cache& as() {
    if (!value_.has_value()) value_.emplace<Cache>();
    return value_.as<Cache>();
  }

 private:
  AnyValue value_;
};

template <class T>
using Visitor = std::function<void(const Name&, T&)>;

/// The state of any layer of scalar S.
template <class S>
class AnyState {
 public:
  template <class State>
  explicit AnyState(State state) : value_(std::move(state)), visits_(visits_of<State>()) {}

  template <class State>
  State& as() {
    return value_.as<State>();
  }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    using M = std::conditional_t<std::is_const_v<Self>, const Matrix<S>, Matrix<S>>;
    const Visitor<M> each = [&](const Name& name, M& m) { visitor(name, m); };
    self.visits_->visit(self.value_, scope, each);
  }

 private:
  struct Visits {
    virtual ~Visits() = default;
    virtual void visit(AnyValue& state, const Name& scope, const Visitor<Matrix<S>>& visitor) const = 0;
    virtual void visit(const AnyValue& state, const Name& scope, const Visitor<const Matrix<S>>& visitor) const = 0;
  };

  template <class State>
  static const Visits* visits_of() {
    struct VisitsOfState final : Visits {
      void visit(AnyValue& state, const Name& scope, const Visitor<Matrix<S>>& visitor) const override {
        State::visit(state.as<State>(), scope, visitor);
      }
      void visit(const AnyValue& state, const Name& scope, const Visitor<const Matrix<S>>& visitor) const override {
        State::visit(state.as<State>(), scope, visitor);
      }
    };
    static const VisitsOfState visits;
    return &visits;
  }

  AnyValue value_;
  const Visits* visits_;
};

/// Any layer of scalar S. Each call goes to the layer that it was made of; `step` only where that has one. The listener
/// of a context is told from here: whether that layer tells of its parts itself cannot be seen from outside.
template <class S>
class AnyLayer {
 public:
  using Scalar = S;
  using State = AnyState<S>;
  using Cache = AnyCache;
  using View = SequenceView<const S>;
  static constexpr bool kTellsOfParts = true;

  template <class L>
  requires(!std::same_as<L, AnyLayer> && SequenceMap<L> &&
           std::same_as<typename L::Scalar, S>) explicit AnyLayer(L layer)
      : layer_(std::move(layer)), calls_(calls_of<L>()) {}

  /// Whether it is a `SequenceLayer`: one that has `step`.
  bool is_causal() const { return calls_->is_causal(); }
  Index input_size() const { return calls_->input_size(layer_); }
  Index output_size() const { return calls_->output_size(layer_); }
  State initial_state(Index batch) const { return calls_->initial_state(layer_, batch); }
  View forward(View x, State& state, Cache& cache, const Context& context = {}) const {
    return calls_->forward(layer_, x, state, cache, context);
  }
  View infer(View x, State& state, Cache& cache, const Context& context = {}) const {
    return calls_->infer(layer_, x, state, cache, context);
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& context = {}) const {
    return calls_->step(layer_, x, state, cache, context);
  }
  View backward(View dy, State& dstate, Cache& cache, const Context& context = {}) {
    return calls_->backward(layer_, dy, dstate, cache, context);
  }
  View backward(View dy, Cache& cache, const Context& context = {}) {
    return calls_->backward(layer_, dy, cache, context);
  }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    using P = std::conditional_t<std::is_const_v<Self>, const Parameter<S>, Parameter<S>>;
    const Visitor<P> each = [&](const Name& name, P& parameter) { visitor(name, parameter); };
    self.calls_->visit(self.layer_, scope, each);
  }

 private:
  struct Calls {
    virtual ~Calls() = default;
    virtual bool is_causal() const = 0;
    virtual Index input_size(const AnyValue& layer) const = 0;
    virtual Index output_size(const AnyValue& layer) const = 0;
    virtual State initial_state(const AnyValue& layer, Index batch) const = 0;
    virtual View forward(const AnyValue& layer, View x, State& state, Cache& cache, const Context& context) const = 0;
    virtual View infer(const AnyValue& layer, View x, State& state, Cache& cache, const Context& context) const = 0;
    virtual FrameView<const S> step(const AnyValue& layer, FrameView<const S> x, State& state, Cache& cache,
                                    const Context& context) const = 0;
    virtual View backward(AnyValue& layer, View dy, State& dstate, Cache& cache, const Context& context) const = 0;
    virtual View backward(AnyValue& layer, View dy, Cache& cache, const Context& context) const = 0;
    virtual void visit(AnyValue& layer, const Name& scope, const Visitor<Parameter<S>>& visitor) const = 0;
    virtual void visit(const AnyValue& layer, const Name& scope, const Visitor<const Parameter<S>>& visitor) const = 0;
  };

  template <class L>
  struct CallsOf final : Calls {
    using LState = typename L::State;
    using LCache = typename L::Cache;

    bool is_causal() const override { return SequenceLayer<L>; }
    Index input_size(const AnyValue& layer) const override { return layer.as<L>().input_size(); }
    Index output_size(const AnyValue& layer) const override { return layer.as<L>().output_size(); }
    State initial_state(const AnyValue& layer, Index batch) const override {
      return State(layer.as<L>().initial_state(batch));
    }
    View forward(const AnyValue& layer, View x, State& state, Cache& cache, const Context& context) const override {
      return layer.as<L>().forward(x, state_of(state), cache.as<LCache>(), context);
    }
    View infer(const AnyValue& layer, View x, State& state, Cache& cache, const Context& context) const override {
      return layer.as<L>().infer(x, state_of(state), cache.as<LCache>(), context);
    }
    FrameView<const S> step(const AnyValue& layer, FrameView<const S> x, State& state, Cache& cache,
                            const Context& context) const override {
      if constexpr (SequenceLayer<L>)
        return layer.as<L>().step(x, state_of(state), cache.as<LCache>(), context);
      else
        throw std::logic_error("a layer that is not causal has no step");
    }
    View backward(AnyValue& layer, View dy, State& dstate, Cache& cache, const Context& context) const override {
      return told(context, layer.as<L>(), layer.as<L>().backward(dy, state_of(dstate), cache.as<LCache>(), context));
    }
    View backward(AnyValue& layer, View dy, Cache& cache, const Context& context) const override {
      return told(context, layer.as<L>(), layer.as<L>().backward(dy, cache.as<LCache>(), context));
    }
    void visit(AnyValue& layer, const Name& scope, const Visitor<Parameter<S>>& visitor) const override {
      L::visit(layer.as<L>(), scope, visitor);
    }
    void visit(const AnyValue& layer, const Name& scope, const Visitor<const Parameter<S>>& visitor) const override {
      L::visit(layer.as<L>(), scope, visitor);
    }

   private:
    /// The state of a layer around one of unknown type may be that layer's: then there is one, not one within another.
    static LState& state_of(State& state) {
      if constexpr (std::same_as<LState, State>)
        return state;
      else
        return state.template as<LState>();
    }
    static View told(const Context& context, const L& layer, View dx) {
      tell_finished(context, layer);
      return dx;
    }
  };

  template <class L>
  static const Calls* calls_of() {
    static const CallsOf<L> calls;
    return &calls;
  }

  AnyValue layer_;
  const Calls* calls_;
};

/// The same for a mixer, which a model around it asks whether it has projections of its own.
template <class S, bool has_own_projections>
class AnyMixer : public AnyLayer<S> {
 public:
  static constexpr bool kHasOwnProjections = has_own_projections;

  explicit AnyMixer(AnyLayer<S> layer) : AnyLayer<S>(std::move(layer)) {}
};

}  // namespace minrnn::detail::erased
