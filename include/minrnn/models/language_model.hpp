// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
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

/// True for a mixer with projections of its own, as Mamba and attention: it says so by `kProjects`.
template <class Mixer>
concept ProjectingMixer = requires {
  requires Mixer::kProjects;
};

namespace detail {

/// The block of `LanguageModel`, and how it is made.
template <SequenceLayer Mixer>
struct LanguageModelBlock {
  using S = typename Mixer::Scalar;
  using Branch = std::conditional_t<ProjectingMixer<Mixer>, Sequential<RmsNorm<S>, Mixer, Dropout<S>>,
                                    Sequential<RmsNorm<S>, Conv1d<S>, Mixer, Linear<S>, Dropout<S>>>;
  using Mix = Residual<Branch>;
  using FeedBranch = Sequential<RmsNorm<S>, Mlp<S>, Dropout<S>>;
  using Feed = Residual<FeedBranch>;
  using Layer = Sequential<Mix, Feed>;

  template <class MakeMixer>
  static Layer make(const LanguageModelOptions& options, Random& random, MakeMixer& make_mixer) {
    check_size("LanguageModel", "expansion", options.expansion);
    check_size("LanguageModel", "mlp_factor", options.mlp_factor);
    const Index dim = options.dim, inner = product_of_sizes("LanguageModel", "expansion", options.expansion, dim);
    const Index mlp_inner = product_of_sizes("LanguageModel", "mlp_factor", options.mlp_factor, dim);
    // Parts are named one by one: the order in which arguments are evaluated differs between compilers.
    using Names = std::array<std::string_view, ProjectingMixer<Mixer> ? 3 : 5>;
    const auto finish = [&](const Names& names, auto... mixing) {
      Mlp<S> mlp(dim, mlp_inner, random);
      Dropout<S> mix_dropout(dim, options.dropout, random), feed_dropout(dim, options.dropout, random);
      Mix mix(Branch::named(names, RmsNorm<S>(dim), std::move(mixing)..., mix_dropout));
      Feed feed(FeedBranch::named({"norm", "mlp", "dropout"}, RmsNorm<S>(dim), std::move(mlp), feed_dropout));
      return Layer::named({"mix", "feed"}, std::move(mix), std::move(feed));
    };
    if constexpr (ProjectingMixer<Mixer>) {
      return finish({"norm", "mixer", "dropout"}, make_mixer(dim, inner));
    } else {
      Conv1d<S> conv(dim, options.kernel, random);
      Mixer mixer = make_mixer(dim, inner);
      Linear<S> down(inner, dim, random);
      return finish({"norm", "conv", "mixer", "down", "dropout"}, std::move(conv), std::move(mixer), std::move(down));
    }
  }
};

}  // namespace detail

/// A language model of the paper's shape around any mixer.
///
/// Equations   x = embedding(tokens)
///             each block:  x = x + dropout(W_down mixer(conv(norm(x)))),  x = x + dropout(mlp(norm(x)))
///             logits = W_out norm(x)
///             A mixer with projections of its own stands without conv and W_down.
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
  /// `make_mixer(dim, expansion * dim)` makes the mixer of each block.
  template <class MakeMixer>
  LanguageModel(const LanguageModelOptions& options, Random& random, MakeMixer&& make_mixer)
      : TokenModel<Blocks>(options.vocabulary, options.dim, kDeviation, random, [&] {
          return Blocks(options.layers, [&] { return Block::make(options, random, make_mixer); });
        }) {}

 private:
  static constexpr double kDeviation = 0.02;  // of the embedding at first, as GPT-2
};

}  // namespace minrnn
