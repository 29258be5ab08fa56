// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/mlp.hpp"
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

/// A mixer from d features to d that has projections of its own, as Mamba and attention. A layer says so by
///   static constexpr bool kHasOwnProjections = true;
/// and a block of a language model then puts neither a convolution before it nor W_down behind it.
template <class Mixer>
concept MixerWithProjections = requires {
  requires Mixer::kHasOwnProjections;
};

namespace detail {

/// The block of `LanguageModel`, and how it is made.
template <SequenceLayer Mixer>
struct LanguageModelBlock {
  using S = typename Mixer::Scalar;
  using Norm = Named<"norm", RmsNorm<S>>;
  using Drop = Named<"dropout", Dropout<S>>;
  using Branch = std::conditional_t<
      MixerWithProjections<Mixer>, Sequential<Norm, Named<"mixer", Mixer>, Drop>,
      Sequential<Norm, Named<"conv", Conv1d<S>>, Named<"mixer", Mixer>, Named<"down", Linear<S>>, Drop>>;
  using FeedBranch = Sequential<Norm, Named<"mlp", Mlp<S>>, Drop>;
  using Layer = Sequential<Named<"mix", Residual<Branch>>, Named<"feed", Residual<FeedBranch>>>;

  /// Throws unless such blocks can be made.
  static void check_sizes(const LanguageModelOptions& options) {
    check_size("LanguageModel", "layers", options.layers);
    check_size("LanguageModel", "dim", options.dim);
    check_size("LanguageModel", "expansion", options.expansion);
    check_size("LanguageModel", "mlp_factor", options.mlp_factor);
    check_product("LanguageModel", "expansion", options.expansion, options.dim);
    check_product("LanguageModel", "mlp_factor", options.mlp_factor, options.dim);
  }

  template <class MakeMixer>
  static Layer make(const LanguageModelOptions& options, RandomStream stream, MakeMixer& make_mixer) {
    const Index dim = options.dim, inner = options.expansion * dim, mlp_inner = options.mlp_factor * dim;
    const RmsNorm<S> norm(dim);
    const Dropout<S> mix_dropout(dim, options.dropout, stream.stream(3)),
        feed_dropout(dim, options.dropout, stream.stream(5));
    auto mix = in_part("mix", [&] {
      Mixer mixer = in_part("mixer", [&] { return make_mixer(dim, inner, stream.stream(1)); });
      if constexpr (MixerWithProjections<Mixer>)
        return Residual(Branch(norm, std::move(mixer), mix_dropout));
      else
        return Residual(Branch(norm, Conv1d<S>(dim, options.kernel, stream.stream(0)), std::move(mixer),
                               Linear<S>(inner, dim, stream.stream(2)), mix_dropout));
    });
    Residual feed(FeedBranch(norm, Mlp<S>(dim, mlp_inner, stream.stream(4)), feed_dropout));
    return Layer(std::move(mix), std::move(feed));
  }
};

}  // namespace detail

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
class LanguageModel : public TokenModel<Stack<typename detail::LanguageModelBlock<Mixer>::Layer>> {
  using Block = detail::LanguageModelBlock<Mixer>;
  using Blocks = Stack<typename Block::Layer>;

 public:
  /// `make_mixer(dim, expansion * dim, stream)` makes the mixer of each block, from a stream of its own.
  template <class MakeMixer>
  LanguageModel(const LanguageModelOptions& options, RandomStream stream, MakeMixer&& make_mixer)
      : TokenModel<Blocks>(options.vocabulary, options.dim, kDeviation, stream.stream(0),
                           make_blocks(options, stream.stream(1), make_mixer)) {}

 private:
  template <class MakeMixer>
  static Blocks make_blocks(const LanguageModelOptions& options, RandomStream stream, MakeMixer& make_mixer) {
    Block::check_sizes(options);
    return detail::in_part(TokenModel<Blocks>::kBlocks, [&] {
      return Blocks(options.layers, [&](Index i) { return Block::make(options, stream.stream(i), make_mixer); });
    });
  }

  static constexpr double kDeviation = 0.02;  // of the embedding at first, as GPT-2
};

}  // namespace minrnn
