// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/models/token_model.hpp"

namespace minrnn {

struct MambaLanguageModelOptions {
  Index vocabulary = 0;  // V, to be set
  Index dim = 768;       // d
  Index layers = 24;
  MambaOptions mixer = {};
  double epsilon = 1e-5;  // of the norms
};

/// The language model of Mamba, whose weights `mamba_map` reads. Its output is not tied to its embedding: where both
/// are one matrix in a file, it has two copies of it.
///
/// Equations   x = embedding(tokens);  each block:  x = x + mamba(norm(x));  logits = W_out norm(x)
/// Shapes      tokens (1, T, B), logits (V, T, B); x (d, T, B)
/// Parameters  embedding/table, blocks/i/{norm,mixer}/..., norm, output
/// Source      Gu and Dao 2023, "Mamba: Linear-time sequence modeling with selective state spaces"
template <class S>
using MambaLanguageModel = TokenModel<Stack<Residual<Sequential<Named<"norm", RmsNorm<S>>, Named<"mixer", Mamba<S>>>>>>;

/// Throws std::invalid_argument for a size below 1, or an epsilon that is not above 0 and at most 1.
template <class S>
MambaLanguageModel<S> make_mamba_language_model(const MambaLanguageModelOptions& options, RandomStream stream) {
  detail::check_size("make_mamba_language_model", "layers", options.layers);
  using Block = Sequential<Named<"norm", RmsNorm<S>>, Named<"mixer", Mamba<S>>>;
  const RmsNormOptions norm{options.epsilon};
  constexpr double kDeviation = 0.02;  // of the embedding at first, as in the official code
  return MambaLanguageModel<S>(
      options.vocabulary, options.dim, kDeviation, stream.stream(0),
      Stack(options.layers,
            [&](Index i) {
              return Residual(Block(RmsNorm<S>(options.dim, norm),
                                    Mamba<S>(options.dim, stream.stream(1).stream(i), options.mixer)));
            }),
      norm);
}

}  // namespace minrnn
