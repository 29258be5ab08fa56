// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "minrnn/core/context.hpp"
#include "output.hpp"
#include "settings.hpp"
#include "support/files.hpp"

namespace sequence_tool {

/// The files that a command reads; none: the generated task.
struct DataFiles {
  std::string data, images, labels;
  std::vector<NamedFile> named() const;
};

struct TrainSettings {
  ModelSettings model;  // what the data decide comes from them
  DataFiles data;
  TrainingFiles files;
  std::string read = "rows";
  double validation = 0.1;
  Index batch = 32;
  std::int64_t steps = 0, epochs = 0;  // in all; neither: as long as `minutes` allows, or 1000 steps
  double minutes = 0;                  // 0: no limit
  std::int64_t patience = 0;           // evaluations that may be no better than the best one; 0: any number
  double learning_rate = 2e-3, weight_decay = 0.05, clip = 1;
  std::uint64_t seed = 1;
  std::int64_t evaluate_every = 0, save_every = 0;  // 0: an epoch, but 50 steps at least
};

/// Trains as the settings say. Gives the exit status: 0, or 130 after a signal that asked it to end. Throws InputError
/// for settings, data or files that do not go together, before anything is written; Diverged; OutputError.
int train(const TrainSettings& settings, minrnn::Executor& executor);

/// Writes what a model says of each sequence.
int predict(const std::string& checkpoint, const DataFiles& data, const Output& output, minrnn::Executor& executor);

/// Prints how well a model does on data with targets.
int evaluate(const std::string& checkpoint, const DataFiles& data, minrnn::Executor& executor);

/// Writes sequences of the generated task in long form.
int generate(Task task, Index sequences, std::uint64_t seed, const Output& output);

}  // namespace sequence_tool
