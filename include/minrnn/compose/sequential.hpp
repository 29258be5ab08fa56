// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// Layers one after the other; the output of one is the input of the next, without a copy.
///
/// Parameters  those of layer i under its name, which is i, or what `named` gives it
/// Throws      std::invalid_argument where the sizes of neighbours differ
template <SequenceLayer First, SequenceLayer... Rest>
class Sequential {
  static constexpr std::size_t kCount = 1 + sizeof...(Rest);

 public:
  using Scalar = typename First::Scalar;

  struct State {
    std::tuple<typename First::State, typename Rest::State...> parts;
    std::array<std::string_view, kCount> names;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      for_each_index([&](auto i) {
        using Part = std::tuple_element_t<i, decltype(self.parts)>;
        Part::visit(std::get<i>(self.parts), child(scope, self.names, i), visitor);
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
        detail::check(
            std::get<i>(layers_).input_size() == std::get<i - 1>(layers_).output_size(), "Sequential",
            [&] { return "input size of layer " + std::to_string(i); }, std::get<i - 1>(layers_).output_size(),
            std::get<i>(layers_).input_size());
    });
  }
  /// The same with a name for each layer instead of its number; the names must live as long as the layer (literals do).
  static Sequential named(std::array<std::string_view, kCount> names, First first, Rest... rest) {
    Sequential result(std::move(first), std::move(rest)...);
    result.names_ = names;
    return result;
  }

  Index input_size() const { return std::get<0>(layers_).input_size(); }
  Index output_size() const { return std::get<kCount - 1>(layers_).output_size(); }
  State initial_state(Index batch) const {
    return std::apply([&](const auto&... layer) { return State{{layer.initial_state(batch)...}, names_}; }, layers_);
  }

  SequenceView<const Scalar> forward(SequenceView<const Scalar> x, State& state, Cache& cache,
                                     const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    x = cache.result_.keep(x);
    for_each_index([&](auto i) {
      x = std::get<i>(layers_).forward(x, std::get<i>(state.parts), std::get<i>(cache.parts_), context);
    });
    cache.keep(sizes(), x.time(), x.batch());
    return cache.result_.note(x);
  }
  SequenceView<const Scalar> infer(SequenceView<const Scalar> x, State& state, Cache& cache,
                                   const Context& context = {}) const {
    check_argument(x, state);
    cache.forget();
    for_each_index([&](auto i) {
      x = std::get<i>(layers_).infer(x, std::get<i>(state.parts), std::get<i>(cache.parts_), context);
    });
    return cache.result_.note(x);
  }
  FrameView<const Scalar> step(FrameView<const Scalar> x, State& state, Cache& cache,
                               const Context& context = {}) const {
    check_argument(x.sequence(), state);
    cache.forget();
    for_each_index([&](auto i) {
      x = std::get<i>(layers_).step(x, std::get<i>(state.parts), std::get<i>(cache.parts_), context);
    });
    return cache.result_.note(x);
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, State& dstate, Cache& cache,
                                      const Context& context = {}) {
    cache.check_backward("Sequential", sizes(), dy);
    detail::check_state("Sequential", "dstate", *this, state_rows_, dstate, dy.batch());
    for_each_index([&](auto up) {
      constexpr std::size_t i = kCount - 1 - up;
      dy = std::get<i>(layers_).backward(dy, std::get<i>(dstate.parts), std::get<i>(cache.parts_), context);
    });
    return dy;
  }
  SequenceView<const Scalar> backward(SequenceView<const Scalar> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    for_each_index([&](auto i) {
      using Layer = std::tuple_element_t<i, std::tuple<First, Rest...>>;
      Layer::visit(std::get<i>(self.layers_), child(scope, self.names_, i), visitor);
    });
  }

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
  static Name child(const Name& scope, const std::array<std::string_view, kCount>& names, std::size_t i) {
    return names[i].empty() ? scope / static_cast<Index>(i) : scope / names[i];
  }

  std::tuple<First, Rest...> layers_;
  std::array<std::string_view, kCount> names_{};
  std::uint64_t state_rows_ = detail::rows_of(initial_state(0));
};

}  // namespace minrnn
