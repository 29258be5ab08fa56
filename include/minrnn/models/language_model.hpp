// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/embedding.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/residual.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/sequential.hpp"
#include "minrnn/layers/stack.hpp"

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

/// A language model of the paper's shape around any mixer.
///
/// Equations   x = embedding(tokens)
///             each block:  x = x + dropout(W_down mixer(conv(norm(x)))),  x = x + dropout(mlp(norm(x)))
///             logits = W_out norm(x)
///             A mixer with projections of its own stands without conv and W_down.
/// Shapes      tokens (1, T, B), logits (V, T, B); x (d, T, B); mixer (d, T, B) to (expansion d, T, B), or to (d, T, B)
/// Parameters  embedding/table, blocks/i/mix/{norm,conv,mixer,down} or blocks/i/mix/{norm,mixer}, blocks/i/feed/{norm,mlp},
///             norm, output
/// Throws      std::invalid_argument for a size below 1, a wrong shape, a token outside 0 .. V - 1
/// Source      Feng et al. 2024, arXiv:2410.01201: normalisation, convolution, mixer and MLP with residuals
template <SequenceLayer Mixer>
class LanguageModel {
 public:
  using Scalar = typename Mixer::Scalar;
  using S = Scalar;
  using Branch = std::conditional_t<ProjectingMixer<Mixer>, Sequential<RmsNorm<S>, Mixer, Dropout<S>>,
                                    Sequential<RmsNorm<S>, Conv1d<S>, Mixer, Linear<S>, Dropout<S>>>;
  using Mix = Residual<Branch>;
  using Feed = Residual<Sequential<RmsNorm<S>, Mlp<S>, Dropout<S>>>;
  using Blocks = Stack<Sequential<Mix, Feed>>;

  struct State {
    typename Blocks::State blocks;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      Blocks::State::visit(self.blocks, scope / "blocks", visitor);
    }
  };

  class Cache {
   public:
    /// The next forward takes the dropout masks of draw number `draw`: the step of a training that is resumed.
    void seek_draw(std::uint64_t draw) { blocks_.seek_draw(draw); }

   private:
    friend LanguageModel;
    typename Embedding<S>::Cache embedding_;
    typename Blocks::Cache blocks_;
    typename RmsNorm<S>::Cache norm_;
    typename Linear<S>::Cache output_;
  };

  /// `make_mixer(dim, expansion * dim)` makes the mixer of each block.
  template <class MakeMixer>
  LanguageModel(const LanguageModelOptions& options, Random& random, MakeMixer&& make_mixer)
      : embedding_(options.vocabulary, options.dim, random, kDeviation),
        blocks_(options.layers, [&] { return make_block(options, random, make_mixer); }),
        norm_(options.dim),
        output_(options.dim, options.vocabulary, random, {.bias = false}) {}

  Index vocabulary_size() const { return embedding_.vocabulary_size(); }
  State initial_state(Index batch) const { return {blocks_.initial_state(batch)}; }

  /// The tokens must outlive backward.
  SequenceView<const S> forward(Tokens tokens, State& state, Cache& cache) const {
    NoState none;
    const auto x = blocks_.forward(embedding_.forward(tokens, cache.embedding_), state.blocks, cache.blocks_);
    return output_.forward(norm_.forward(x, none, cache.norm_), none, cache.output_);
  }

  SequenceView<const S> infer(Tokens tokens, State& state, Cache& cache) const {
    NoState none;
    const auto x = blocks_.infer(embedding_.forward(tokens, cache.embedding_), state.blocks, cache.blocks_);
    return output_.infer(norm_.infer(x, none, cache.norm_), none, cache.output_);
  }

  FrameView<const S> step(FrameView<const std::int32_t> tokens, State& state, Cache& cache) const {
    NoState none;
    const auto x = embedding_.forward(tokens.sequence(), cache.embedding_).frame(0);
    const auto y = blocks_.step(x, state.blocks, cache.blocks_);
    return output_.step(norm_.step(y, none, cache.norm_), none, cache.output_);
  }

  void backward(SequenceView<const S> dlogits, State& dstate, Cache& cache) {
    NoState none;
    const auto dx = norm_.backward(output_.backward(dlogits, none, cache.output_), none, cache.norm_);
    embedding_.backward(blocks_.backward(dx, dstate.blocks, cache.blocks_), cache.embedding_);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Embedding<S>::visit(self.embedding_, scope / "embedding", visitor);
    Blocks::visit(self.blocks_, scope / "blocks", visitor);
    RmsNorm<S>::visit(self.norm_, scope / "norm", visitor);
    Linear<S>::visit(self.output_, scope / "output", visitor);
  }

 private:
  static constexpr double kDeviation = 0.02;  // of the embedding at first, as GPT-2

  template <class MakeMixer>
  static Sequential<Mix, Feed> make_block(const LanguageModelOptions& options, Random& random, MakeMixer& make_mixer) {
    detail::check_size("LanguageModel", "expansion", options.expansion);
    detail::check_size("LanguageModel", "mlp_factor", options.mlp_factor);
    const Index dim = options.dim, inner = options.expansion * dim;
    // Parts are named one by one: the order in which arguments are evaluated differs between compilers.
    using Names = std::array<std::string_view, ProjectingMixer<Mixer> ? 3 : 5>;
    const auto finish = [&](const Names& names, auto... mixing) {
      Mlp<S> mlp(dim, options.mlp_factor * dim, random);
      Dropout<S> mix_dropout(dim, options.dropout, random), feed_dropout(dim, options.dropout, random);
      using FeedInner = Sequential<RmsNorm<S>, Mlp<S>, Dropout<S>>;
      Mix mix(Branch::named(names, RmsNorm<S>(dim), std::move(mixing)..., mix_dropout));
      Feed feed(FeedInner::named({"norm", "mlp", "dropout"}, RmsNorm<S>(dim), std::move(mlp), feed_dropout));
      return Sequential<Mix, Feed>::named({"mix", "feed"}, std::move(mix), std::move(feed));
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

  Embedding<S> embedding_;
  Blocks blocks_;
  RmsNorm<S> norm_;
  Linear<S> output_;
};

}  // namespace minrnn
