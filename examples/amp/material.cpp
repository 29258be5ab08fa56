// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "material.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "latency.hpp"
#include "minrnn/core/random.hpp"
#include "signal.hpp"
#include "support/console.hpp"

namespace amp {
namespace {

double root_mean_square(const std::vector<float>& signal, Stretch stretch) {
  double sum = 0;
  const auto begin = signal.begin() + stretch.first;
  for (auto sample = begin; sample != begin + stretch.count; ++sample)
    sum += static_cast<double>(*sample) * static_cast<double>(*sample);
  return std::sqrt(sum / static_cast<double>(stretch.count));
}

std::vector<float> scaled(const std::vector<float>& signal, double factor) {
  std::vector<float> result;
  for (const float x : signal) result.push_back(static_cast<float>(factor * static_cast<double>(x)));
  return result;
}

Pair take_pair(const TrainSettings& s) {
  if (s.input.empty()) {
    say("making %g s of guitar, and what a circuit makes of it\n", s.circuit.seconds);
    Pair pair{play_guitar(s.circuit.seconds, s.circuit.rate, s.circuit.seed), {}};
    pair.wet = through_pedal(pair.dry, s.circuit.latency);
    return pair;
  }
  Pair pair{read_wav(s.input), read_wav(s.output)};
  if (pair.dry.rate != pair.wet.rate)
    throw InputError(shown(s.output) + ": has " + std::to_string(pair.wet.rate) + " samples a second, wanted the " +
                     std::to_string(pair.dry.rate) + " of " + shown(s.input));
  return pair;
}

/// Both recordings without what the other one has not.
void align(Pair& pair, Index latency) {
  auto& dry = pair.dry.samples;
  auto& wet = pair.wet.samples;
  auto& early = latency > 0 ? wet : dry;
  early.erase(early.begin(), early.begin() + std::min(std::abs(latency), static_cast<Index>(early.size())));
  const std::size_t size = std::min(dry.size(), wet.size());
  dry.resize(size);
  wet.resize(size);
}

Index latency_of(const Pair& pair, const TrainSettings& s) {
  const auto ms = [&](Index samples) {
    return 1e3 * static_cast<double>(samples) / static_cast<double>(pair.dry.rate);
  };
  if (!s.estimates_latency) {
    say("latency %lld samples, as given\n", static_cast<long long>(s.latency));
    return s.latency;
  }
  const auto found = estimate_latency(pair.dry.samples, pair.wet.samples, pair.dry.rate / 4);
  if (!found) {
    say("latency: none of up to 250 ms stands out of the cross-correlation, taken for 0; --latency sets it\n");
    return 0;
  }
  say("latency %lld samples, %.2f ms, by the cross-correlation: taken away\n", static_cast<long long>(*found),
      ms(*found));
  return *found;
}

std::uint64_t hash_of(const Recording& dry, const Recording& wet) {
  auto hash = static_cast<std::uint64_t>(dry.rate);
  for (const auto* samples : {&dry.samples, &wet.samples})
    for (const float sample : *samples) hash = minrnn::mix_bits(hash + std::bit_cast<std::uint32_t>(sample));
  return hash;
}

}  // namespace

Material::Material(const TrainSettings& settings) : name(settings.input.empty() ? "the circuit" : settings.input) {
  Pair pair = take_pair(settings);
  const Index longer = pair.wet.size() - pair.dry.size();
  if (longer != 0)
    say("the output is %lld samples %s than the input: what has no counterpart is left out\n",
        static_cast<long long>(std::abs(longer)), longer > 0 ? "longer" : "shorter");
  latency = latency_of(pair, settings);
  align(pair, latency);
  dry = std::move(pair.dry);
  wet = std::move(pair.wet);
  hash = hash_of(dry, wet);

  const auto part = [&](double share) { return std::llround(share * static_cast<double>(dry.size())); };
  test.count = part(settings.test);
  validation.count = part(settings.validation);
  training = {0, dry.size() - test.count - validation.count};
  validation.first = training.count;
  test.first = validation.first + validation.count;
  if (std::min({training.count, validation.count, test.count}) < settings.segment)
    throw InputError(shown(name) + ": is too short: wanted more than " + std::to_string(settings.segment) +
                     " samples to train, to validate and to test, given " + std::to_string(dry.size()) + " in all");
  const double dry_size = root_mean_square(dry.samples, training), wet_size = root_mean_square(wet.samples, training);
  if (dry_size == 0) throw InputError(shown(name) + ": is silent where it trains");
  for (const Stretch stretch : {training, validation, test})
    if (root_mean_square(wet.samples, stretch) == 0)
      throw InputError((settings.output.empty() ? "what the circuit makes of it" : shown(settings.output)) +
                       ": is silent where it trains, validates or tests");
  scales = {1 / dry_size, wet_size};
  x = scaled(dry.samples, scales.input);
  target = scaled(wet.samples, 1 / scales.output);
}

Stretches::Stretches(Stretch part, const TrainSettings& settings, const minrnn::Random& random)
    : part_(part), segment_(settings.segment), warm_up_(settings.warm_up), stream_(random.stream(1)) {
  // One segment is left for the places where an epoch may begin.
  const Index most = (part.count - warm_up_) / segment_ - 1;
  if (most < 1)
    throw InputError("wanted more than " + std::to_string(warm_up_ + 2 * segment_) +
                     " samples to train on, two --segment and --warm-up, given " + std::to_string(part.count));
  batch_ = std::min(settings.batch, most);
  segments_ = most / batch_;
}

Index Stretches::first_of(std::int64_t epoch) const {
  const Index left = part_.count - warm_up_ - batch_ * static_cast<Index>(segments_) * segment_;
  minrnn::Random random(stream_.stream(static_cast<Index>(epoch)));
  return part_.first + static_cast<Index>(random.below(static_cast<std::uint64_t>(left + 1)));
}

minrnn::SequenceView<const float> Stretches::warm_up(const std::vector<float>& signal, std::int64_t epoch) const {
  return {signal.data() + first_of(epoch), 1, warm_up_, batch_, static_cast<Index>(segments_) * segment_};
}

minrnn::SequenceView<const float> Stretches::segment(const std::vector<float>& signal, std::int64_t step) const {
  const Index place = warm_up_ + static_cast<Index>(step % segments_) * segment_;
  return {signal.data() + first_of(step / segments_) + place, 1, segment_, batch_,
          static_cast<Index>(segments_) * segment_};
}

ErrorToSignal play(Stream& stream, const Material& material, Stretch stretch, std::vector<float>& out) {
  const Index before = std::min(stretch.first, material.dry.rate);
  out.resize(static_cast<std::size_t>(before + stretch.count));
  stream.process(material.dry.samples.data() + stretch.first - before, out.data(), before + stretch.count);
  out.erase(out.begin(), out.begin() + before);
  ErrorToSignal error;
  error.add(out.data(), material.wet.samples.data() + stretch.first, stretch.count);
  return error;
}

}  // namespace amp
