// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/context.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/layer_norm.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "minrnn/optim/adam.hpp"

/// The layers and functions whose code is in the library minrnn::compiled, which compiles them once for all files of a
/// program. Who links it (CMake: target_link_libraries(app PRIVATE minrnn::compiled)) has MINRNN_COMPILED defined, and
/// layers of layers then call the code of the library; without it this header says nothing. All files of a program
/// define it, or none; those that do not include minrnn/minrnn.hpp include this header.
///
/// A layer on its own, called by no layer of layers, is compiled where it is called.
#define MINRNN_COMPILED_LAYERS(X) \
  X(MinGru<float>)                \
  X(MinLstm<float>)               \
  X(SignedMinGru<float>)          \
  X(SignedMinLstm<float>)         \
  X(DiagonalGru<float>)           \
  X(DiagonalLstm<float>)          \
  X(RgLru<float>)                 \
  X(Gru<float>)                   \
  X(Lstm<float>)                  \
  X(Mamba<float>)                 \
  X(Attention<float>)             \
  X(Linear<float>)                \
  X(Mlp<float>)                   \
  X(Activation<float>)            \
  X(RmsNorm<float>)               \
  X(LayerNorm<float>)             \
  X(Dropout<float>)               \
  X(Conv1d<float>)

#define MINRNN_COMPILED_FUNCTIONS(X)                                                                                 \
  X void fill_symmetric<float>(Matrix<float>&, Random&, double);                                                     \
  X void fill_normal<float>(Matrix<float>&, Random&, double);                                                        \
  X MeanLoss detail::mean_square<float>(SequenceView<const float>, SequenceView<const float>,                        \
                                        const detail::FrameWeights<float>&, Sequence<float>*, const Context&);       \
  X MeanLoss detail::cross_entropy<float, std::int32_t>(SequenceView<const float>, SequenceView<const std::int32_t>, \
                                                        const detail::FrameWeights<float>&, Sequence<float>*,        \
                                                        const Context&);                                             \
  X Index detail::advance_parameter<float>(Parameter<float>&, Matrix<float>&, Matrix<float>&,                        \
                                           const detail::AdamRates<float>&, const Context&);

#ifdef MINRNN_COMPILED
#define MINRNN_IS_COMPILED(...) \
  template <>                   \
  inline constexpr bool detail::kIsCompiled<__VA_ARGS__> = true;

namespace minrnn {
MINRNN_COMPILED_LAYERS(MINRNN_IS_COMPILED)
MINRNN_COMPILED_FUNCTIONS(extern template)
}  // namespace minrnn

#undef MINRNN_IS_COMPILED
#endif
