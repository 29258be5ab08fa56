// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "network.hpp"
#include "signal.hpp"
#include "speed.hpp"
#include "support/console.hpp"
#include "support/files.hpp"
#include "wav.hpp"

namespace amp {

int run(const RunSettings& s) {
  check_files({{"--output", s.output}}, {{"--model", s.model}, {"--input", s.input}}, s.overwrite);
  const Trained trained = read_checkpoint(s.model);
  WavReader input(s.input);
  if (input.rate() != trained.settings.rate)
    throw InputError(shown(s.input) + ": has " + std::to_string(input.rate()) + " samples a second, wanted the " +
                     std::to_string(trained.settings.rate) + " of the model");
  const auto stream = trained.network->stream(trained.scales);
  Recording output{input.rate(), {}};
  output.samples.reserve(static_cast<std::size_t>(input.size()));
  std::vector<float> block(static_cast<std::size_t>(std::min(s.block, input.size())));
  while (const Index count = input.read(block.data(), static_cast<Index>(block.size()))) {
    stream->process(block.data(), block.data(), count);
    output.samples.insert(output.samples.end(), block.begin(), block.begin() + count);
  }
  if (!std::all_of(output.samples.begin(), output.samples.end(), [](float y) { return std::isfinite(y); }))
    throw InputError(shown(s.model) + ": the answer of the model is no finite number everywhere");
  write_wav(s.output, output, s.format);
  return 0;
}

int bench(const std::string& model, double seconds) {
  const Trained trained = read_checkpoint(model);
  const ModelSettings& settings = trained.settings;
  const auto stream = trained.network->stream(trained.scales);
  // With silence in it, where states fade; of a rate at which there are strings.
  const Recording sound = play_guitar(10, std::max<Index>(settings.rate, 8000), 1);
  say("%s, %lld layers of %lld features\n", settings.mixer.c_str(), static_cast<long long>(settings.layers),
      static_cast<long long>(settings.size));
  say("%s", speed_text(measure(*stream, sound.samples, seconds), settings.rate).c_str());
  return 0;
}

int write_circuit(const CircuitSettings& settings, const CircuitFiles& files) {
  check_files({{"--output-dry", files.dry}, {"--output-wet", files.wet}}, {}, files.overwrite);
  const Recording dry = play_guitar(settings.seconds, settings.rate, settings.seed);
  const Recording wet = through_pedal(dry, settings.latency);
  write_wav(files.dry, dry, files.format);
  write_wav(files.wet, wet, files.format);
  return 0;
}

}  // namespace amp
