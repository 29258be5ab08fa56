// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

/// How a layer of layers calls its parts: part(layer).forward(...), and so on, as the code of a part may have been
/// compiled in a library.
namespace minrnn::detail {

/// Whether minrnn::compiled holds the code of a layer: minrnn/compiled.hpp lists those for which it is true.
template <class L>
inline constexpr bool kIsCompiled = false;

/// A layer by reference, with its functions in the library; they are defined in cmake/compiled.cpp alone.
///
/// What Eigen aligns to is part of the type, so that a program with other flags for the processor than the library's
/// does not link, instead of failing as it runs.
template <class L, int alignment = EIGEN_MAX_ALIGN_BYTES>
struct Compiled {
  using View = SequenceView<const typename L::Scalar>;
  using Frame = FrameView<const typename L::Scalar>;
  using State = typename L::State;
  using Cache = typename L::Cache;

  L& layer;

  State initial_state(Index batch) const;
  View forward(View x, State& state, Cache& cache, const Context& context) const;
  View backward(View dy, State& dstate, Cache& cache, const Context& context);
  View backward(View dy, Cache& cache, const Context& context);
  View infer(View x, State& state, Cache& cache, const Context& context) const;
  Frame step(Frame x, State& state, Cache& cache, const Context& context) const;
};

template <class L>
MINRNN_INLINE decltype(auto) part(L& layer) {
  if constexpr (kIsCompiled<L>)
    return Compiled<L>{layer};
  else
    return (layer);
}
/// A const `Compiled` has no `backward`, so that none reaches the layer.
template <class L>
MINRNN_INLINE decltype(auto) part(const L& layer) {
  if constexpr (kIsCompiled<L>)
    return static_cast<const Compiled<L>>(Compiled<L>{const_cast<L&>(layer)});
  else
    return (layer);
}

}  // namespace minrnn::detail
