// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "minrnn/compose/stack.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/models/token_model.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"

/// What programs have in common that train a model on a task of its own making, tokens in and tokens out.
namespace minrnn::bench {

/// Tokens, and what is to be said at some of them; -1 at the others.
struct TokenBatch {
  Sequence<std::int32_t> tokens, targets;  // (1, T, B)

  TokenBatch(Index time, Index batch) : tokens(1, time, batch), targets(1, time, batch) {}
};

/// At how many targets the right one of the first `answers` tokens is the most likely one.
struct Score {
  Index right = 0, count = 0;

  void add(SequenceView<const float> logits, const Sequence<std::int32_t>& targets, Index answers) {
    for (Index b = 0; b < logits.batch(); ++b)
      for (Index t = 0; t < logits.time(); ++t) {
        const std::int32_t wanted = *targets.view().column(t, b);
        if (wanted < 0) continue;
        const float* column = logits.column(t, b);
        right += std::max_element(column, column + answers) - column == wanted;
        ++count;
      }
  }
  double part() const { return static_cast<double>(right) / static_cast<double>(count); }
};

/// The score over batches from next_batch() until there are so many targets.
template <class M, class NextBatch>
double accuracy(const M& model, Index targets, Index answers, const Context& context, NextBatch&& next_batch) {
  typename M::Cache cache;
  Score score;
  while (score.count < targets) {
    const TokenBatch batch = next_batch(score.count);
    auto state = model.initial_state(batch.tokens.batch());
    score.add(model.infer(batch.tokens.view(), state, cache, context), batch.targets, answers);
  }
  return score.part();
}

/// A model that learns; dropout is a function of the number of the step.
template <class M>
class TokenTraining {
 public:
  TokenTraining(M& model, const AdamOptions<float>& options, Executor* executor = nullptr)
      : model_(model), adam_(model, options), executor_(executor) {}

  std::int64_t steps() const { return steps_; }
  /// One step; returns the loss before it.
  double step(const TokenBatch& batch, double learning_rate) {
    const Context context{.draw = steps_++, .executor = executor_};
    auto state = model_.initial_state(batch.tokens.batch());
    const auto logits = model_.forward(batch.tokens.view(), state, cache_, context);
    const double loss = softmax_cross_entropy(logits, batch.targets.view(), dlogits_, context).loss;
    zero_gradients(model_);
    model_.backward(dlogits_.view(), cache_, context);
    clip_gradient_norm(model_, 1.0);
    adam_.options.learning_rate = static_cast<float>(learning_rate);
    adam_.step(model_, context);
    return loss;
  }

 private:
  M& model_;
  typename M::Cache cache_;
  Sequence<float> dlogits_;
  Adam<float> adam_;
  Executor* executor_;
  std::int64_t steps_ = 0;
};

/// A model of so many blocks, each by make_block(stream).
template <class MakeBlock>
auto make_token_model(Index vocabulary, Index dim, Index layers, const Random& random, MakeBlock&& make_block) {
  return TokenModel(vocabulary, dim, 1, random.stream(0),
                    Stack(layers, [&](Index i) { return make_block(random.stream(1 + i)); }));
}

/// Accuracies as CSV on standard output, each line at once.
class LearningCurve {
 public:
  LearningCurve() { std::printf("kind,step_or_length,loss,accuracy,seconds\n"); }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  void training(std::int64_t step, double loss, double accuracy) const {
    std::printf("training,%lld,%.5f,%.5f,%.1f\n", static_cast<long long>(step), loss, accuracy, seconds());
    std::fflush(stdout);
  }
  void test(const char* kind, Index length, double accuracy) const {
    std::printf("%s,%td,,%.5f,%.1f\n", kind, length, accuracy, seconds());
    std::fflush(stdout);
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace minrnn::bench
