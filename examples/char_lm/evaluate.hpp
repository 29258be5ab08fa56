// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <vector>

#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/models/language_model.hpp"
#include "text.hpp"

namespace char_lm {

/// Frames that are computed at once: what a training step of the default sizes does.
inline constexpr Index kFrames = 4096;

/// The loss of a model over streams of text that are longer than memory: `add` takes the next stretch of all streams
/// and carries the state, so that it does not matter how the text is cut.
template <class Model>
class StreamLoss {
 public:
  StreamLoss(const Model& model, Index streams, minrnn::Executor& executor)
      : model_(model), context_{.executor = &executor}, state_(model.initial_state(streams)) {}

  /// tokens (1, T + 1, streams): T characters, each with the one that follows as its target.
  void add(minrnn::Tokens tokens) {
    const Index steps = tokens.time() - 1;
    const auto logits = model_.infer(tokens.chunk(0, steps), state_, cache_, context_);
    const auto part = minrnn::softmax_cross_entropy(logits, tokens.chunk(1, steps), context_);
    sum_ += part.loss * static_cast<double>(part.count);
    count_ += part.count;
  }

  double loss() const { return sum_ / static_cast<double>(count_); }  // nats per character
  double sum() const { return sum_; }
  Index count() const { return count_; }

 private:
  const Model& model_;
  minrnn::Context context_;
  typename Model::State state_;
  typename Model::Cache cache_;
  double sum_ = 0;
  Index count_ = 0;
};

/// A loss over the first `count` of `of` characters.
struct PartLoss {
  double loss;
  Index count, of;
};

/// The loss over the validation part of a text, cut into `streams` of equal length that are read side by side, each
/// from the zero state; about `most` characters of it, the first ones of each stream, and no more once go_on(count, of)
/// is false. The streams are those of `shards`, one after the other, and each rank reads those of its own shards: the
/// result is the same on all of them, of the same bits on any number, and so must be what go_on says.
template <class Model, class GoOn>
PartLoss validation_loss(const Model& model, const Text& text, Index streams, Index most, minrnn::Executor& executor,
                         Index shards, minrnn::Communicator& ranks, const GoOn& go_on) {
  const Index targets = text.validation_size() - 1;
  streams = std::clamp<Index>(targets / 64, 1, streams);
  const Index stride = targets / streams, length = std::clamp<Index>(most / streams, 1, stride);
  const Index own = shards / ranks.size(), first_own = own * ranks.rank();
  const auto first_stream = [&](Index shard) { return streams * shard / shards; };
  std::vector<StreamLoss<Model>> losses;  // of the own shards
  for (Index shard = first_own; shard < first_own + own; ++shard)
    losses.emplace_back(model, first_stream(shard + 1) - first_stream(shard), executor);
  minrnn::Sequence<std::int32_t> tokens;
  Index done = 0;  // of each stream
  while (done < length && (done == 0 || go_on(done * streams, length * streams))) {
    const Index steps = std::min(kFrames / streams, length - done);
    for (Index shard = first_own; shard < first_own + own; ++shard) {
      const Index begin = first_stream(shard), end = first_stream(shard + 1);
      if (begin == end) continue;  // more shards than streams
      const auto piece = tokens.resize(1, steps + 1, end - begin);
      for (Index b = begin; b < end; ++b)
        text.copy_tokens(text.training_size() + b * stride + done, steps + 1, piece.column(0, b - begin));
      losses[static_cast<std::size_t>(shard - first_own)].add(piece);
    }
    done += steps;
  }
  std::vector<double> sums(static_cast<std::size_t>(shards));
  for (Index shard = 0; shard < own; ++shard)
    sums[static_cast<std::size_t>(first_own + shard)] = losses[static_cast<std::size_t>(shard)].sum();
  const double sum = minrnn::sum_over_shards(ranks, sums);
  return {sum / static_cast<double>(done * streams), done * streams, length * streams};
}

}  // namespace char_lm
