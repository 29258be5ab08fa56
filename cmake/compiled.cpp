// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compiled.hpp"

// The library minrnn::compiled: the code of the layers and functions that minrnn/compiled.hpp lists.
namespace minrnn {
namespace detail {

template <class L, int alignment>
typename L::State Compiled<L, alignment>::initial_state(Index batch) const {
  return layer.initial_state(batch);
}
template <class L, int alignment>
auto Compiled<L, alignment>::forward(View x, State& state, Cache& cache, const Context& context) const -> View {
  return layer.forward(x, state, cache, context);
}
template <class L, int alignment>
auto Compiled<L, alignment>::backward(View dy, State& dstate, Cache& cache, const Context& context) -> View {
  return layer.backward(dy, dstate, cache, context);
}
template <class L, int alignment>
auto Compiled<L, alignment>::backward(View dy, Cache& cache, const Context& context) -> View {
  return layer.backward(dy, cache, context);
}
template <class L, int alignment>
auto Compiled<L, alignment>::infer(View x, State& state, Cache& cache, const Context& context) const -> View {
  return layer.infer(x, state, cache, context);
}
template <class L, int alignment>
auto Compiled<L, alignment>::step(Frame x, State& state, Cache& cache, const Context& context) const -> Frame {
  return layer.step(x, state, cache, context);
}

}  // namespace detail

#define MINRNN_COMPILE(...) template struct detail::Compiled<__VA_ARGS__>;
MINRNN_COMPILED_LAYERS(MINRNN_COMPILE)
MINRNN_COMPILED_FUNCTIONS(template)

}  // namespace minrnn
