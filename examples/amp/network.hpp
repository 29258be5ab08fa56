// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/io/safetensors.hpp"
#include "support/checkpoints.hpp"
#include "support/training_time.hpp"
#include "wav.hpp"

namespace amp {

/// What a signal is multiplied with before the model, and what the answer is afterwards.
struct Scales {
  double input = 1, output = 1;

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    visitor(scope / "input", self.input);
    visitor(scope / "output", self.output);
  }
};

struct ModelSettings {
  std::string mixer = "gru";
  Index size = 16, layers = 1;
  Index rate = 0;     // samples a second of the device's recordings
  Index latency = 0;  // samples that the device's recording was later, and the model is not

  Metadata metadata() const;
  /// Throws InputError where the file is no checkpoint of this program.
  static ModelSettings from(const minrnn::TensorFile& file);
};

/// A model that plays: samples in, samples out, as many at a time as one likes, with the same answers for any division
/// into blocks. Allocates nothing after it was made, takes no lock and does not throw.
class Stream {
 public:
  virtual ~Stream() = default;
  /// `out` may be `in`.
  virtual void process(const float* in, float* out, Index count) noexcept = 0;
  /// From silence again.
  virtual void reset() noexcept = 0;
};

/// What states begin with before they are warmed up. A stream begins with 0; but in digital silence 0 may be a point
/// at rest from which the least push would lead away, so that its slopes grow without bounds: 10^300 within 2048
/// samples of DiagonalGru. From here it has left before anything counts.
inline constexpr float kAwake = 0.01f;

/// A model with its optimizer and the state of its recordings, whatever its mixer: what the commands are written for,
/// so that models are compiled once.
///
/// Equations   h = mixer(x), or mixer(mixer(x));  y = w h + b
class Network {
 public:
  using View = minrnn::SequenceView<const float>;  // (1, T, B)

  virtual ~Network() = default;
  virtual Index parameters() const = 0;

  /// So many recordings begin anew: each number of their state is this one.
  virtual void begin(Index batch, float value) = 0;
  /// Carries the state over x.
  virtual void warm_up(View x, const minrnn::Context& context) = 0;
  /// The same, with an answer for `backward`; the gradient does not reach back beyond x.
  virtual View forward(View x, const minrnn::Context& context) = 0;
  /// Gives the norm of the gradient, which is then scaled to `clip` at most.
  virtual double backward(View dy, double clip, const minrnn::Context& context) = 0;
  virtual void step(double learning_rate, const minrnn::Context& context) = 0;
  virtual bool is_finite() const = 0;

  /// With the weights of now.
  virtual std::unique_ptr<Stream> stream(const Scales& scales) const = 0;

  /// What a checkpoint holds, and what the state of a training holds.
  virtual minrnn::TensorFile weights(const Scales& scales, const Metadata& metadata) const = 0;
  virtual minrnn::TensorFile state(const TrainingProgress& progress, const Metadata& metadata) = 0;
  /// Back from them. Throw std::runtime_error where the file is not of this model; nothing has changed then.
  virtual void restore_weights(const minrnn::TensorFile& file, Scales& scales) = 0;
  virtual void restore_state(const minrnn::TensorFile& file, TrainingProgress& progress) = 0;
};

/// The mixers that there are, those first that cost least.
std::vector<std::string> mixer_names();

/// Throws InputError for a mixer or a number of layers that is not known.
std::unique_ptr<Network> make_network(const ModelSettings& settings, minrnn::RandomStream stream);

/// What a checkpoint holds.
struct Trained {
  ModelSettings settings;
  Scales scales;
  std::unique_ptr<Network> network;
};
/// Throws InputError or std::runtime_error where the file is none.
Trained read_checkpoint(const std::string& path);

}  // namespace amp
