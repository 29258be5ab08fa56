// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "network.hpp"
#include "wav.hpp"

namespace amp {

/// A stretch of a recording, in samples.
struct Stretch {
  Index first, count;
};

/// What a training is made of: both recordings, the latency taken away, equally long; and which stretch of them serves
/// for what, the last one to test.
struct Material {
  std::string name;
  Index latency;
  Recording dry, wet;
  std::uint64_t hash;  // of both
  Scales scales;
  std::vector<float> x, target;  // the same for a model, so that the training stretch has a mean square of 1
  Stretch training, validation, test;

  /// Takes the files, or makes the pair of the circuit, and says what it has done. Throws InputError where they do not
  /// go together or will not do.
  explicit Material(const TrainSettings& settings);
};

/// How many equal stretches of the training part are trained on side by side, and where they begin.
///
/// Each goes through the model from its beginning to its end, segment by segment, with the state carried, which is an
/// epoch. Before it the state is warmed up. Where an epoch begins is drawn, so that no border stays where it was.
class Stretches {
 public:
  /// Throws InputError where the part is too short for one.
  Stretches(Stretch part, const TrainSettings& settings, const minrnn::Random& random);

  Index batch() const { return batch_; }
  std::int64_t segments() const { return segments_; }  // of a stretch
  /// The samples before the first segment of an epoch, and a segment, of all stretches.
  minrnn::SequenceView<const float> warm_up(const std::vector<float>& signal, std::int64_t epoch) const;
  minrnn::SequenceView<const float> segment(const std::vector<float>& signal, std::int64_t step) const;

 private:
  Index first_of(std::int64_t epoch) const;

  Stretch part_;
  Index segment_, warm_up_, batch_;
  std::int64_t segments_;
  minrnn::RandomStream stream_;
};

/// Plays a stretch through a stream, after a second of what stands before it, and measures the error.
ErrorToSignal play(Stream& stream, const Material& material, Stretch stretch, std::vector<float>& out);

}  // namespace amp
