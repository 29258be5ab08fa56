// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/loss/cross_entropy.hpp"
#include "model.hpp"

namespace char_lm {

/// The loss of a model over streams of text that are longer than memory: `add` takes the next stretch of all streams and
/// carries the state, so that it does not matter how the text is cut.
template <class Model>
class StreamLoss {
 public:
  StreamLoss(const Model& model, Index streams) : model_(model), state_(model.initial_state(streams)) {}

  /// tokens, targets: (1, T, streams), each target the token that follows.
  void add(minrnn::Tokens tokens, minrnn::Tokens targets) {
    const auto logits = model_.infer(tokens, state_, cache_);
    const auto part = minrnn::softmax_cross_entropy(logits, targets);
    sum_ += part.loss * static_cast<double>(part.count);
    count_ += part.count;
  }

  double loss() const { return sum_ / static_cast<double>(count_); }  // nats per character
  Index count() const { return count_; }

 private:
  const Model& model_;
  typename Model::State state_;
  typename Model::Cache cache_;
  double sum_ = 0;
  Index count_ = 0;
};

/// The loss over at most `most` characters of `tokens`, read as `streams` streams side by side.
template <class Model>
double stream_loss(const Model& model, const std::int32_t* tokens, Index size, Index streams, Index most) {
  constexpr Index kPiece = 256;
  streams = std::clamp<Index>((size - 1) / kPiece, 1, streams);
  const Index stride = (size - 1) / streams, length = std::min(stride, std::max<Index>(1, most / streams));
  StreamLoss<Model> loss(model, streams);
  for (Index first = 0; first < length; first += kPiece) {
    const Index steps = std::min(kPiece, length - first);
    loss.add({tokens + first, 1, steps, streams, stride}, {tokens + first + 1, 1, steps, streams, stride});
  }
  return loss.loss();
}

}  // namespace char_lm
