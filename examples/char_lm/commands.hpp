// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "minrnn/core/context.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "ranks.hpp"
#include "settings.hpp"

namespace char_lm {

struct TrainSettings {
  ModelSettings model;  // its vocabulary comes from the data
  std::string data, checkpoint, log;
  Index batch = 32, context = 128;
  std::int64_t steps = 0;  // in all; 0: as long as `minutes` allows, or 2000
  double minutes = 0;      // 0: no limit
  double learning_rate = 2e-3, weight_decay = 0.05, clip = 1;
  std::uint64_t seed = 1;
  std::int64_t save_every = 200, evaluate_every = 100;
  bool resume = false, overwrite = false;
  Index shards = 0;  // of a batch, whose gradients are summed one by one; 0: none, the batch is computed as a whole
};

/// Trains as the settings say, as one of several ranks where there are. Gives the exit status: 0, or 130 after a signal
/// that asked it to end. Throws InputError for settings, data or files that do not go together, before anything is
/// written; Diverged; OutputError.
int train(const TrainSettings& settings, minrnn::Executor& executor, Ranks& ranks);

struct SampleSettings {
  std::string checkpoint;
  std::optional<minrnn::WeightFormat> weights;  // none: as they are in the file
  std::string prompt;                           // empty: begin as after a new line
  std::string prompt_file;
  std::int64_t length = 500, samples = 1;
  double temperature = 0.8;
  Index top_k = 0;  // 0: all
  double top_p = 1;
  std::uint64_t seed = 1;
};
/// Writes the prompt and then characters to standard output as they come, in constant memory; their speed to standard
/// error.
int sample(const SampleSettings& settings);

/// Prints the loss of a model over a file of any length, in constant memory.
int evaluate(const std::string& checkpoint, std::optional<minrnn::WeightFormat> weights, const std::string& data,
             minrnn::Executor& executor);

}  // namespace char_lm
