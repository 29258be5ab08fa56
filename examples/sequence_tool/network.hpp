// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dataset.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence_batch.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/io/safetensors.hpp"
#include "settings.hpp"
#include "support/training_time.hpp"

namespace sequence_tool {

struct Progress : TrainingProgress {
  std::int64_t worse_evaluations = 0;  // since the best one

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    TrainingProgress::visit(self, scope, visitor);
    visitor(scope / "worse_evaluations", self.worse_evaluations);
  }
};

/// How features, and the target of a regression, are scaled.
struct Scales {
  Scale features;
  std::optional<Scale> target;

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    visitor(scope / "features", self.features);
    if (self.target) visitor(scope / "target", *self.target);
  }
};

/// A sequence model with its optimizer, whatever its mixer: what the commands are written for, so that models are
/// compiled once.
class Network {
 public:
  using Batch = minrnn::SequenceBatch<float>;
  using Answers = minrnn::SequenceView<const float>;  // (K, 1, N), valid until the next call

  virtual ~Network() = default;
  virtual Index parameters() const = 0;

  virtual Answers infer(const Batch& batch, const minrnn::Context& context) = 0;
  virtual Answers forward(const Batch& batch, const minrnn::Context& context) = 0;
  /// Of what came last out of forward. Gives the norm of the gradient, which is then scaled to `clip` at most.
  virtual double backward(Answers danswers, double clip, const minrnn::Context& context) = 0;
  /// A step of AdamW along that gradient.
  virtual void step(double learning_rate, double weight_decay, const minrnn::Context& context) = 0;

  virtual bool is_finite() const = 0;
  /// What a checkpoint holds, and what the state of a training holds.
  virtual minrnn::TensorFile weights(const Scales& scales, const Metadata& metadata) const = 0;
  virtual minrnn::TensorFile state(const Progress& progress, const Metadata& metadata) = 0;
  /// Back from them. Throw std::runtime_error where the file is not of this model; nothing has changed then.
  virtual void restore_weights(const minrnn::TensorFile& file, Scales& scales) = 0;
  virtual void restore_state(const minrnn::TensorFile& file, Progress& progress) = 0;
};

std::unique_ptr<Network> make_network(const ModelSettings& settings, minrnn::RandomStream stream);

/// The network and the settings of a checkpoint, with its scales.
struct Trained {
  ModelSettings settings;
  Scales scales;
  std::unique_ptr<Network> network;
};
/// Throws InputError or std::runtime_error where the file is none.
Trained read_checkpoint(const std::string& path);

}  // namespace sequence_tool
