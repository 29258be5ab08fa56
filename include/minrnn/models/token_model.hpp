// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/layers/embedding.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/rms_norm.hpp"

namespace minrnn {

/// Any layer over tokens: a symbol goes in, a score for each symbol comes out.
///
/// Equations   x = embedding(tokens),  logits = W_out norm(blocks(x))
/// Shapes      tokens (1, T, B), logits (V, T, B); x and blocks(x) (d, T, B)
/// Gradient    the parts' own
/// Parameters  embedding/table, blocks/..., norm, output
/// Throws      std::invalid_argument for a size below 1, blocks of another size than d, a wrong shape, a token outside
///             0 .. V - 1
template <SequenceMap Blocks>
class TokenModel {
 protected:
  static constexpr std::string_view kEmbedding = "embedding", kBlocks = "blocks";

 public:
  using Scalar = typename Blocks::Scalar;
  using S = Scalar;
  static constexpr bool kTellsOfParts = true;

  struct State {
    typename Blocks::State blocks;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      Blocks::State::visit(self.blocks, scope / kBlocks, visitor);
    }
  };

  class Cache : public CacheBase {
    friend TokenModel;
    typename Embedding<S>::Cache embedding_;
    typename Blocks::Cache blocks_;
    typename RmsNorm<S>::Cache norm_;
    typename Linear<S>::Cache output_;
  };

  /// Around blocks from d features to d. The embedding begins normal with `deviation`.
  TokenModel(Index vocabulary, Index dim, double deviation, RandomStream stream, Blocks blocks,
             const RmsNormOptions& norm = {})
      : embedding_(vocabulary, dim, stream.stream(0), deviation),
        blocks_(std::move(blocks)),
        norm_(dim, norm),
        output_(dim, vocabulary, stream.stream(1), {.bias = false}) {
    detail::check_that(blocks_.input_size() == dim && blocks_.output_size() == dim, "TokenModel", "blocks",
                       {"from ", dim, " features to as many"}, {blocks_.input_size(), " to ", blocks_.output_size()});
  }

  Index vocabulary_size() const { return embedding_.vocabulary_size(); }
  State initial_state(Index batch) const { return {detail::part(blocks_).initial_state(batch)}; }

  SequenceView<const S> forward(Tokens tokens, State& state, Cache& cache, const Context& context = {}) const {
    NoState none;
    cache.forget();
    detail::check_state("TokenModel", "state", *this, state_rows_, state, tokens.batch());
    const auto x = embed(tokens, cache);
    const auto y = detail::in_part(
        kBlocks, [&] { return detail::part(blocks_).forward(x, state.blocks, cache.blocks_, context); });
    const auto logits = detail::part(output_).forward(detail::part(norm_).forward(y, none, cache.norm_, context), none,
                                                      cache.output_, context);
    cache.keep(sizes(), tokens.time(), tokens.batch());
    return logits;
  }

  SequenceView<const S> infer(Tokens tokens, State& state, Cache& cache, const Context& context = {}) const {
    NoState none;
    cache.forget();
    detail::check_state("TokenModel", "state", *this, state_rows_, state, tokens.batch());
    const auto x = embed(tokens, cache);
    const auto y =
        detail::in_part(kBlocks, [&] { return detail::part(blocks_).infer(x, state.blocks, cache.blocks_, context); });
    return detail::part(output_).infer(detail::part(norm_).infer(y, none, cache.norm_, context), none, cache.output_,
                                       context);
  }

  FrameView<const S> step(FrameView<const std::int32_t> tokens, State& state, Cache& cache,
                          const Context& context = {}) const requires SequenceLayer<Blocks> {
    NoState none;
    cache.forget();
    detail::check_state("TokenModel", "state", *this, state_rows_, state, tokens.batch());
    const auto x = embed(tokens.sequence(), cache).frame(0);
    const auto y =
        detail::in_part(kBlocks, [&] { return detail::part(blocks_).step(x, state.blocks, cache.blocks_, context); });
    return detail::part(output_).step(detail::part(norm_).step(y, none, cache.norm_, context), none, cache.output_,
                                      context);
  }

  void backward(SequenceView<const S> dlogits, State& dstate, Cache& cache, const Context& context = {}) {
    cache.check_backward("TokenModel", sizes(), dlogits);
    detail::check_state("TokenModel", "dstate", *this, state_rows_, dstate, dlogits.batch());
    NoState none;
    const auto dnormed = detail::part(output_).backward(dlogits, none, cache.output_, context);
    detail::tell_finished(context, output_);
    const auto dy = detail::part(norm_).backward(dnormed, none, cache.norm_, context);
    detail::tell_finished(context, norm_);
    const auto dx = detail::in_part(
        kBlocks, [&] { return detail::part(blocks_).backward(dy, dstate.blocks, cache.blocks_, context); });
    detail::tell_finished(context, blocks_);
    embedding_.backward(dx, cache.embedding_, context);
    detail::tell_finished(context, embedding_);
  }

  void backward(SequenceView<const S> dlogits, Cache& cache, const Context& context = {}) {
    backward_from_zero(*this, dlogits, cache, context);
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Embedding<S>::visit(self.embedding_, scope / kEmbedding, visitor);
    Blocks::visit(self.blocks_, scope / kBlocks, visitor);
    RmsNorm<S>::visit(self.norm_, scope / "norm", visitor);
    Linear<S>::visit(self.output_, scope / "output", visitor);
  }

 private:
  SequenceView<const S> embed(Tokens tokens, Cache& cache) const {
    return detail::in_part(kEmbedding, [&] { return embedding_.forward(tokens, cache.embedding_); });
  }
  CacheBase::Sizes sizes() const { return {vocabulary_size(), vocabulary_size(), parameter_count(*this)}; }

  Embedding<S> embedding_;
  Blocks blocks_;
  RmsNorm<S> norm_;
  Linear<S> output_;
  std::uint64_t state_rows_ = detail::rows_of(initial_state(0));
};

}  // namespace minrnn
