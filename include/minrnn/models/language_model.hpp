// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/check.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/models/mixer_blocks.hpp"
#include "minrnn/models/token_model.hpp"

namespace minrnn {

struct LanguageModelOptions {
  Index vocabulary = 0;  // V, to be set
  Index dim = 384;       // d
  Index layers = 3;
  Index expansion = 2;   // features of the mixer / d
  Index kernel = 4;      // of the convolution
  Index mlp_factor = 4;  // inner size of the MLP / d
  double dropout = 0;
};

/// A language model of the paper's shape around any mixer.
///
/// Equations   x = embedding(tokens)
///             each block:  x = x + dropout(W_down mixer(conv(norm(x)))),  x = x + dropout(mlp(norm(x)))
///             logits = W_out norm(x)
///             A `MixerWithProjections` stands without conv and W_down.
/// Shapes      tokens (1, T, B), logits (V, T, B); x (d, T, B); mixer (d, T, B) to (expansion d, T, B), or to (d, T, B)
/// Parameters  embedding/table, blocks/i/mix/{norm,conv,mixer,down} or blocks/i/mix/{norm,mixer},
///             blocks/i/feed/{norm,mlp}, norm, output
/// Throws      std::invalid_argument for a size below 1, a wrong shape, a token outside 0 .. V - 1
/// Source      Feng et al. 2024, arXiv:2410.01201: normalisation, convolution, mixer and MLP with residuals
template <SequenceLayer Mixer>
class LanguageModel : public TokenModel<MixerBlocks<Mixer>> {
  using Blocks = MixerBlocks<Mixer>;

 public:
  /// `make_mixer(dim, expansion * dim, stream)` makes the mixer of each block, from a stream of its own.
  template <class MakeMixer>
  LanguageModel(const LanguageModelOptions& options, RandomStream stream, MakeMixer&& make_mixer)
      : TokenModel<Blocks>(options.vocabulary, options.dim, kDeviation, stream.stream(0),
                           make(options, stream.stream(1), make_mixer)) {}

 private:
  template <class MakeMixer>
  static Blocks make(const LanguageModelOptions& options, RandomStream stream, MakeMixer& make_mixer) {
    const BlockOptions blocks{.dim = options.dim,
                              .layers = options.layers,
                              .expansion = options.expansion,
                              .kernel = options.kernel,
                              .mlp_factor = options.mlp_factor,
                              .dropout = options.dropout};
    detail::check_blocks("LanguageModel", blocks);
    return detail::in_part(TokenModel<Blocks>::kBlocks, [&] { return make_blocks<Mixer>(blocks, stream, make_mixer); });
  }

  static constexpr double kDeviation = 0.02;  // of the embedding at first, as GPT-2
};

}  // namespace minrnn
