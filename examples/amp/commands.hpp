// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "loss.hpp"
#include "minrnn/core/context.hpp"
#include "network.hpp"
#include "support/files.hpp"
#include "wav.hpp"

namespace amp {

/// What the pair that needs no file is made from.
struct CircuitSettings {
  double seconds = 90;
  Index rate = 48000;
  Index latency = 37;  // samples, as converters and cables have
  std::uint64_t seed = 1;
};

struct TrainSettings {
  std::string input, output;  // the device's input and what came out of it; none: the pair of the circuit
  CircuitSettings circuit;
  ModelSettings model;
  TrainingFiles files;
  std::string listen;  // of the files to listen to, the beginning of the names; empty: none
  Index latency = 0;
  bool estimates_latency = true;  // `latency` counts where it is not
  double validation = 0.1, test = 0.1;
  Index batch = 32, segment = 2048, warm_up = 2048;
  std::int64_t steps = 0;
  double minutes = 0;  // 0: no limit, or 2 where no steps are given either
  double learning_rate = 5e-3, clip = 1;
  LossOptions loss;
  std::uint64_t seed = 1;
  std::int64_t evaluate_every = 200;
};

/// Trains as the settings say. Gives the exit status: 0, or 130 after a signal that asked it to end. Throws InputError
/// for settings or files that do not go together, before anything is written; Diverged; OutputError.
int train(const TrainSettings& settings, minrnn::Executor& executor);

/// Plays a recording through a model, block by block.
struct RunSettings {
  std::string model, input, output;
  Index block = 64;
  Format format = Format::float32;
  bool overwrite = false;
};
int run(const RunSettings& settings);

/// Says how long a model takes.
int bench(const std::string& model, double seconds);

/// Writes the pair that needs no file.
struct CircuitFiles {
  std::string dry, wet;
  Format format = Format::float32;
  bool overwrite = false;
};
int write_circuit(const CircuitSettings& settings, const CircuitFiles& files);

}  // namespace amp
