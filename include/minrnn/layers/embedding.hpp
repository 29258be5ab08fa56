// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn {

/// Symbols as numbers 0 .. V - 1: a sequence (1, T, B) that may carry starts.
using Tokens = SequenceView<const std::int32_t>;

namespace detail {
/// Throws unless every token is in [least, vocabulary).
inline void check_tokens(std::string_view where, std::string_view argument, Tokens tokens, Index vocabulary,
                         std::int32_t least = 0) {
  check_sequence(where, argument, tokens, 1);
  for (Index b = 0; b < tokens.batch(); ++b)
    for (Index t = 0; t < tokens.time(); ++t) {
      const std::int32_t token = *tokens.column(t, b);
      if (token < least || token >= vocabulary) [[unlikely]]
        throw_argument(where, argument, {"tokens below ", vocabulary}, token);
    }
}
}  // namespace detail

/// A table with one column for each symbol.
///
/// Equations   y_t = table(:, token_t)
/// Shapes      tokens (1, T, B), y (F, T, B); table (F, V)
/// Gradient    dtable(:, v) = sum over the steps with token v of dy_t
/// Parameters  table, normal with the deviation of the options at first
/// Memory      kept for backward: a copy of the tokens
/// Throws      std::invalid_argument for a size below 1, a wrong shape, a token outside 0 .. V - 1
template <class S>
class Embedding {
 public:
  using Scalar = S;

  class Cache : public CacheBase {
    friend Embedding;
    Sequence<std::int32_t> tokens_;  // (1, T, B)
    Sequence<S> y_;                  // (F, T, B)
  };

  Embedding(Index vocabulary, Index features, RandomStream stream, double deviation = 1) {
    Random random(stream);
    detail::check_size("Embedding", "vocabulary", vocabulary);
    detail::check_size("Embedding", "features", features);
    detail::check_that(deviation >= 0 && detail::is_finite(deviation), "Embedding", "deviation",
                       "a finite number of at least 0", deviation);
    table_ = Parameter<S>(features, vocabulary, ReadBy::symbols);
    fill_normal(table_.value, random, deviation);
  }

  Index vocabulary_size() const { return table_.cols(); }
  Index output_size() const { return table_.rows(); }

  SequenceView<const S> forward(Tokens tokens, Cache& cache) const {
    detail::check_tokens("Embedding", "tokens", tokens, vocabulary_size());
    cache.forget();
    const Index features = output_size();
    const SequenceView<std::int32_t> kept = cache.tokens_.resize(1, tokens.time(), tokens.batch());
    const SequenceView<S> y = cache.y_.resize(features, tokens.time(), tokens.batch());
    for (Index b = 0; b < tokens.batch(); ++b)
      for (Index t = 0; t < tokens.time(); ++t) {
        const std::int32_t token = *kept.column(t, b) = *tokens.column(t, b);
        if (table_.is_narrow())
          table_.narrow.read_column(token, y.column(t, b));
        else
          std::copy_n(table_.value.col(token).data(), features, y.column(t, b));
      }
    cache.keep(sizes(), tokens.time(), tokens.batch());
    return SequenceView<const S>(y).with_starts(tokens.starts());
  }

  void backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    cache.check_backward("Embedding", sizes(), dy);
    const Tokens tokens = cache.tokens_.view();
    // Threads divide the features, so that each element is summed in the order of the tokens; 64 of them at least, as
    // the work is mostly to find their place in memory.
    const Columns<S> dtable = table_.grad;
    const double of_a_feature = 8 * static_cast<double>(dy.time() * dy.batch());
    const Pieces pieces(output_size(), Tiles::of(output_size(), {of_a_feature}), 64);
    parallel_for(context, pieces.count(), of_a_feature * static_cast<double>(output_size()), [&](Index piece, Index) {
      const Index first = pieces.first(piece), count = pieces.last(piece) - first;
      for (Index b = 0; b < tokens.batch(); ++b)
        for (Index t = 0; t < tokens.time(); ++t) {
          const Row<S> sum = dtable[*tokens.column(t, b)].from(first);
          const Row<const S> dy_t = dy.row(t, b).from(first);
          for_lanes<S>(count, [&](auto i) { sum[i] += dy_t[i]; });
        }
    });
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "table", self.table_);
  }

 private:
  CacheBase::Sizes sizes() const { return {vocabulary_size(), output_size()}; }

  Parameter<S> table_;  // (F, V)
};

}  // namespace minrnn
