// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "minrnn/core/types.hpp"
#include "support/errors.hpp"

namespace amp {

using namespace tool;
using minrnn::Index;

/// One channel of sound. Full scale is 1.
struct Recording {
  Index rate = 0;  // samples a second
  std::vector<float> samples;

  Index size() const { return static_cast<Index>(samples.size()); }
  double seconds() const { return static_cast<double>(size()) / static_cast<double>(rate); }
};

/// Reads a WAV file of one channel, block by block: PCM of 16, 24 or 32 bits, or floats.
/// Throws InputError where it is none, is cut off or contradicts itself, has more channels or no samples, or has a
/// sample that is no finite number.
class WavReader {
 public:
  explicit WavReader(const std::string& path);
  ~WavReader();
  WavReader(const WavReader&) = delete;
  WavReader& operator=(const WavReader&) = delete;

  Index rate() const;
  Index size() const;  // in samples
  /// Gives how many samples it has read: as many as are asked for, fewer at the end, 0 behind it.
  Index read(float* samples, Index most);

 private:
  struct File;
  std::unique_ptr<File> file_;
};

Recording read_wav(const std::string& path);

/// By what a sample is written.
enum class Format { float32, pcm24, pcm16 };

/// Writes a file that is there whole or not at all. PCM is cut at full scale. Throws std::runtime_error.
void write_wav(const std::string& path, const Recording& recording, Format format = Format::float32);

}  // namespace amp
