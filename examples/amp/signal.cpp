// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "signal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "circuit.hpp"
#include "minrnn/core/random.hpp"
#include "resample.hpp"

namespace amp {
namespace {

using minrnn::Random;

double draw(Random& random, double least, double most) { return least + (most - least) * random.uniform(); }

/// How a string is played.
struct Pluck {
  double frequency, seconds;  // of the note; until it is a thousandth
  double brightness;          // 0 to 1, of the pick
  double level;
};

constexpr double kRelease = 0.03;  // seconds in which a hand stops a string

/// Adds a plucked string to what is there from `first` on, until `last`, where it has been stopped.
void add_string(std::vector<double>& sound, std::size_t first, std::size_t last, double rate, const Pluck& pluck,
                Random& random) {
  // The filter of the loop, (1/4, 1/2, 1/4) and a fraction of a sample, delays by one and that fraction.
  const double delay = rate / pluck.frequency - 1;
  const auto whole = static_cast<std::size_t>(delay);
  const double fraction = delay - static_cast<double>(whole);
  const double kept = std::pow(1e-3, 1 / (pluck.frequency * pluck.seconds));
  const std::array<double, 4> taps{0.25 * (1 - fraction), 0.5 - 0.25 * fraction, 0.25 + 0.25 * fraction,
                                   0.25 * fraction};
  std::vector<double> line(whole + taps.size());
  double excitation = 0;
  for (double& x : line) {
    excitation += pluck.brightness * (random.symmetric(1) - excitation);
    x = excitation;
  }
  double offset = 0;  // a string has no mean
  for (const double x : line) offset += x / static_cast<double>(line.size());
  for (double& x : line) x -= offset;

  std::size_t place = 0;
  for (std::size_t n = first; n < last; ++n) {
    double sum = 0;
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const std::size_t back = whole + i;  // samples ago, of which the line holds whole + 4
      sum += taps[i] * line[(place + line.size() - back) % line.size()];
    }
    line[place] = kept * sum;
    place = (place + 1) % line.size();
    sound[n] += std::min(1.0, static_cast<double>(last - n) / (kRelease * rate)) * pluck.level * kept * sum;
  }
}

/// The strings of a stroke, in half tones above the lowest E.
std::vector<int> strings_of(Random& random) {
  const int root = static_cast<int>(random.below(25));
  switch (random.below(4)) {
    case 0:
      return {root, root + 7, root + 12};  // a power chord
    case 1:
      return {root, root + 7, root + 12, random.below(2) == 0 ? root + 15 : root + 16};  // minor, major
    default:
      return {root + static_cast<int>(random.below(20))};
  }
}

}  // namespace

Recording play_guitar(double seconds, Index rate, std::uint64_t seed) {
  constexpr double kLowestE = 82.41;
  const auto size = static_cast<std::size_t>(std::llround(seconds * static_cast<double>(rate)));
  const auto samples = [&](double s) { return static_cast<std::size_t>(s * static_cast<double>(rate)); };
  std::vector<double> sound(size);
  Random random(seed);
  for (std::size_t now = 0; now < size;) {
    const double lasts = std::array{0.12, 0.25, 0.25, 0.5, 0.5, 1.0, 2.0}[random.below(7)];
    const std::size_t next = std::min(size, now + samples(lasts));
    const bool is_silent = random.below(10) == 0, is_muted = random.below(5) == 0;
    const double level = std::pow(10, draw(random, -30, 0) / 20), brightness = draw(random, 0.2, 0.9);
    const double strum = draw(random, 0.002, 0.02), decay = is_muted ? 0.15 : draw(random, 2, 6);
    double late = 0;
    for (const int half_tones : strings_of(random)) {
      const Pluck pluck{kLowestE * std::pow(2, half_tones / 12.0), decay, brightness, level * draw(random, 0.7, 1)};
      const std::size_t first = std::min(next, now + samples(late));
      const std::size_t last = std::min(size, next + samples(kRelease));
      if (!is_silent) add_string(sound, first, last, static_cast<double>(rate), pluck, random);
      late += strum;
    }
    now = next;
  }
  double peak = 1e-30;
  for (const double x : sound) peak = std::max(peak, std::abs(x));
  Recording recording{rate, {}};
  for (const double x : sound) recording.samples.push_back(static_cast<float>(0.9 * x / peak));
  return recording;
}

Recording through_pedal(const Recording& dry, Index latency) {
  constexpr int kOversampling = 8;
  const Resampler resampler(kOversampling);
  std::vector<double> voltages = resampler.up({dry.samples.begin(), dry.samples.end()});
  Pedal pedal({}, kOversampling * static_cast<double>(dry.rate));
  for (double& u : voltages) u = pedal.step(u);
  const std::vector<double> out = resampler.down(voltages);
  Recording wet{dry.rate, std::vector<float>(dry.samples.size())};
  for (std::size_t t = static_cast<std::size_t>(latency); t < out.size(); ++t)
    wet.samples[t] = static_cast<float>(out[t - static_cast<std::size_t>(latency)]);
  return wet;
}

}  // namespace amp
