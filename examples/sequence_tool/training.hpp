// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "commands.hpp"
#include "dataset.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/sequence_batch.hpp"
#include "network.hpp"
#include "support/best_weights.hpp"

namespace sequence_tool {

/// Which sequences train and which validate: drawn by the seed, whatever the order of the labels in the file.
struct Split {
  std::vector<Index> training, validation;

  /// Throws InputError where there are too few for both.
  Split(const Dataset& data, double validation_share, const minrnn::Random& random);
};

/// The data as a training needs them.
struct Problem {
  std::string name;
  std::uint64_t hash;
  Truth truth;
  Split split;
  Scales scales;
  Sequences sequences;

  /// `model` has the classes already.
  Problem(const Dataset& data, const ModelSettings& model, double validation_share, const minrnn::Random& random);
};

/// Each epoch takes all sequences, in an order that is a function of the seed and its number; so the step says all that
/// there is to know of where a training stands.
class Order {
 public:
  Order(std::vector<Index> sequences, Index batch, const minrnn::Random& random)
      : sequences_(std::move(sequences)), batch_(batch), stream_(random.stream(1)) {}

  std::int64_t steps_of_epoch() const {
    const auto count = static_cast<Index>(sequences_.size());
    return (count + batch_ - 1) / batch_;
  }
  /// The sequences of a step, counted from 0; the last of an epoch may have fewer.
  std::vector<Index> of_step(std::int64_t step);

 private:
  std::vector<Index> sequences_, shuffled_;
  Index batch_;
  minrnn::RandomStream stream_;
  std::int64_t epoch_ = -1;  // of which `shuffled_` is the order
};

/// A network in training: steps, evaluations, and the two files that it keeps. All that the next step depends on is in
/// the network and in `progress`, and these are what is saved, so a resumed training goes on bit for bit.
class Training {
 public:
  Progress progress;

  Training(const TrainSettings& settings, const ModelSettings& model, const Problem& problem, Network& network,
           const minrnn::Random& random, minrnn::Executor& executor)
      : settings_(settings),
        model_(model),
        problem_(problem),
        network_(network),
        executor_(executor),
        order_(problem.split.training, settings.batch, random),
        best_(settings.files.checkpoint) {}

  std::int64_t steps_of_epoch() const { return order_.steps_of_epoch(); }
  std::int64_t evaluate_every() const;
  std::int64_t save_every() const;

  /// Throws Diverged where loss or gradient are no finite numbers; nothing has changed then.
  void step(double learning_rate);

  struct Evaluation {
    double train_loss;  // the mean over the sequences since the last evaluation
    Score validation;
    bool best;
  };
  /// Keeps the weights where they are the best so far, in the checkpoint if there is one.
  Evaluation evaluate();

  /// The training state. Never one that cannot be gone on from.
  void save();
  /// Throws InputError or std::runtime_error where the file is none of this training.
  void resume();

  /// How the best weights do on the validation part, as a line and a table for people.
  std::string final_report(const std::function<void(Index)>& tell);

 private:
  /// The loss of a batch and its gradient.
  double loss_of(const std::vector<Index>& list, Network::Answers answers, const minrnn::Context& context);
  Metadata best_metadata() const;
  /// All that must be the same for a training to go on exactly. `--steps` and `--minutes` may grow.
  Metadata resume_metadata() const;

  const TrainSettings& settings_;
  const ModelSettings& model_;
  const Problem& problem_;
  Network& network_;
  minrnn::Executor& executor_;
  Order order_;
  BestWeights best_;
  minrnn::SequenceBatch<float> batch_;
  minrnn::Sequence<float> danswers_;
};

}  // namespace sequence_tool
