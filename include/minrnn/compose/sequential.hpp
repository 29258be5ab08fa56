// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

namespace detail {
/// A text as an argument of a template.
template <std::size_t size>
struct Text {
  char characters[size];

  consteval Text(const char (&text)[size]) { std::copy_n(text, size, characters); }
};
}  // namespace detail

/// A layer under a name of its own among those of a `Sequential`, where the others have their number:
///   Sequential net(named<"mixer">(MinGru<float>(3, 64, random.stream(0))), Linear<float>(64, 1, random.stream(1)));
/// Names are part of the type, so that neither a layer nor a state holds them.
template <detail::Text name, SequenceMap L>
class Named : public L {
 public:
  static constexpr std::string_view kPartName{name.characters};

  Named(L layer) : L(std::move(layer)) {}
};
template <detail::Text name, SequenceMap L>
Named<name, L> named(L layer) {
  return layer;
}

/// Layers one after the other; the output of one is the input of the next, without a copy.
///
/// Parameters  those of layer i under its name, which is i, or what `Named` gives it
/// Throws      std::invalid_argument where the sizes of neighbours differ
template <SequenceMap First, SequenceMap... Rest>
class Sequential {
  static constexpr std::size_t kCount = 1 + sizeof...(Rest);
  template <std::size_t i>
  using Layer = std::tuple_element_t<i, std::tuple<First, Rest...>>;

 public:
  using Scalar = typename First::Scalar;
  static constexpr bool kTellsOfParts = true;

  struct State {
    std::tuple<typename First::State, typename Rest::State...> parts;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      for_each_index([&](auto i) {
        using Part = std::tuple_element_t<i, decltype(self.parts)>;
        Part::visit(std::get<i>(self.parts), scope / part_name(i), visitor);
      });
    }
  };

  class Cache : public CacheBase {
    friend Sequential;
    std::tuple<typename First::Cache, typename Rest::Cache...> parts_;
    LastResult<Scalar> result_;
  };

  explicit Sequential(First first, Rest... rest) : layers_(std::move(first), std::move(rest)...) {
    for_each_index([&](auto i) {
      if constexpr (i > 0)
        detail::check_neighbours(part_name(i), std::get<i>(layers_).input_size(),
                                 std::get<i - 1>(layers_).output_size());
    });
  }

  Index input_size() const { return std::get<0>(layers_).input_size(); }
  Index output_size() const { return std::get<kCount - 1>(layers_).output_size(); }
  State initial_state(Index batch) const {
    return std::apply([&](const auto&... layer) { return State{{detail::part(layer).initial_state(batch)...}}; },
                      layers_);
  }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    x = cache.result_.keep(x);
    x = through_parts(x, [&](auto i, auto x_i) {
      return detail::part(std::get<i>(layers_))
          .forward(x_i, std::get<i>(state.parts), std::get<i>(cache.parts_), context);
    });
    cache.keep(sizes(), x.time(), x.batch());
    return cache.result_.note(x);
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    return cache.result_.note(through_parts(x, [&](auto i, auto x_i) {
      return detail::part(std::get<i>(layers_))
          .infer(x_i, std::get<i>(state.parts), std::get<i>(cache.parts_), context);
    }));
  }
  FrameView<const Scalar> step(FrameView<const Scalar> x, State& state, Cache& cache, const Context& context = {}) const
      requires(SequenceLayer<First> && (SequenceLayer<Rest> && ...)) {
    check_argument(x.sequence(), state);
    cache.forget();
    return cache.result_.note(through_parts(x, [&](auto i, auto x_i) {
      return detail::part(std::get<i>(layers_)).step(x_i, std::get<i>(state.parts), std::get<i>(cache.parts_), context);
    }));
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Sequential", sizes(), dy);
    detail::check_state("Sequential", "dstate", *this, state_rows_, dstate, dy.batch());
    for_each_index([&](auto up) {
      constexpr std::integral_constant<std::size_t, kCount - 1 - up> i;
      dy = detail::in_part(part_name(i), [&] {
        return detail::part(std::get<i>(layers_))
            .backward(dy, std::get<i>(dstate.parts), std::get<i>(cache.parts_), context);
      });
      detail::tell_finished(context, std::get<i>(layers_));
    });
    return dy;
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    for_each_index([&](auto i) { Layer<i>::visit(std::get<i>(self.layers_), scope / part_name(i), visitor); });
  }

  static constexpr std::size_t layer_count() { return kCount; }
  template <std::size_t i>
  const auto& layer() const {
    return std::get<i>(layers_);
  }

 private:
  CacheBase::Sizes sizes() const { return {input_size(), output_size(), parameter_count(*this)}; }

  void check_argument(SequenceView<const Scalar> x, const State& state) const {
    detail::check_input("Sequential", x, input_size());
    detail::check_state("Sequential", "state", *this, state_rows_, state, x.batch());
  }

  template <class Body>
  static void for_each_index(Body&& body) {
    [&]<std::size_t... i>(std::index_sequence<i...>) { (body(std::integral_constant<std::size_t, i>{}), ...); }
    (std::make_index_sequence<kCount>{});
  }
  /// x = body(i, x) for layer after layer; what fails there says which layer it is.
  template <class View, class Body>
  static View through_parts(View x, const Body& body) {
    for_each_index([&](auto i) { x = detail::in_part(part_name(i), [&] { return body(i, x); }); });
    return x;
  }
  /// The name of layer i, or its number.
  template <std::size_t i>
  static constexpr auto part_name(std::integral_constant<std::size_t, i>) {
    if constexpr (requires { Layer<i>::kPartName; })
      return Layer<i>::kPartName;
    else
      return static_cast<Index>(i);
  }

  std::tuple<First, Rest...> layers_;
  std::uint64_t state_rows_ = detail::rows_of(initial_state(0));
};

}  // namespace minrnn
