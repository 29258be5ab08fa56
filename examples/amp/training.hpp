// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands.hpp"
#include "material.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "network.hpp"
#include "support/best_weights.hpp"
#include "support/training_time.hpp"

namespace amp {

/// A network in training: steps, evaluations, and the two files that it keeps. All that the next step depends on is in
/// the network and in `progress`, and these are what is saved, so a resumed training goes on bit for bit.
class Training {
 public:
  TrainingProgress progress;  // its best loss is the error-to-signal ratio of the validation

  Training(const TrainSettings& settings, const ModelSettings& model, const Material& material, Network& network,
           const minrnn::Random& random, minrnn::Executor& executor)
      : settings_(settings),
        model_(model),
        material_(material),
        network_(network),
        executor_(executor),
        stretches_(material.training, settings, random),
        best_(settings.files.checkpoint) {}

  const Stretches& stretches() const { return stretches_; }

  /// Throws Diverged where loss or gradient are no finite numbers; nothing has changed then.
  void step(double learning_rate);

  struct Evaluation {
    double train_loss, ratio;  // the mean since the last evaluation; the error-to-signal ratio
    bool best;
  };
  /// Keeps the weights where they are the best so far, in the checkpoint if there is one.
  Evaluation evaluate();

  /// The training state. Never one that cannot be gone on from.
  void save();
  /// Throws InputError or std::runtime_error where the file is none of this training.
  void resume();
  void restore_best();

 private:
  /// All that must be the same for a training to go on exactly. `--steps` and `--minutes` may grow.
  Metadata resume_metadata() const;

  const TrainSettings& settings_;
  const ModelSettings& model_;
  const Material& material_;
  Network& network_;
  minrnn::Executor& executor_;
  Stretches stretches_;
  BestWeights best_;
  minrnn::Sequence<float> dy_;
  std::vector<float> out_;  // of an evaluation
};

}  // namespace amp
