// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "network.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mixers.hpp"

namespace amp {
namespace {

constexpr std::pair<const char*, decltype(&make_gru)> kMixers[] = {{"mingru", make_min_gru},
                                                                   {"signed-mingru", make_signed_min_gru},
                                                                   {"diagonal-gru", make_diagonal_gru},
                                                                   {"gru", make_gru},
                                                                   {"lstm", make_lstm}};
constexpr Index kMostRate = 10'000'000, kMostLatency = 1'000'000'000;

}  // namespace

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : kMixers) names.emplace_back(name);
  return names;
}

std::unique_ptr<Network> make_network(const ModelSettings& settings, minrnn::RandomStream stream) {
  for (const auto& [name, make] : kMixers)
    if (settings.mixer == name) return make(settings, stream);
  throw InputError("mixer \"" + minrnn::printable(settings.mixer) + "\" is not known");
}

Metadata ModelSettings::metadata() const {
  return {{"program", program_name},      {"mixer", mixer},
          {"size", std::to_string(size)}, {"layers", std::to_string(layers)},
          {"rate", std::to_string(rate)}, {"latency", std::to_string(latency)}};
}

ModelSettings ModelSettings::from(const minrnn::TensorFile& file) {
  const MetadataReader metadata(file);
  ModelSettings settings;
  if (metadata.text("program") != program_name) metadata.refuse("program");
  settings.mixer = metadata.text("mixer");
  settings.size = metadata.number("size", Index{1}, kMostSize);
  settings.layers = metadata.number("layers", Index{1}, Index{2});
  settings.rate = metadata.number("rate", Index{1}, kMostRate);
  settings.latency = metadata.number("latency", -kMostLatency, kMostLatency);
  const auto size = static_cast<double>(settings.size);
  metadata.check_size(file, 2 * size + (settings.layers == 2 ? 2 * size * size : 0));
  return settings;
}

Trained read_checkpoint(const std::string& path) {
  const minrnn::TensorFile file = minrnn::read_safetensors(path_of(path));
  Trained trained{ModelSettings::from(file), {}, nullptr};
  trained.network = make_network(trained.settings, minrnn::Random().stream(0));
  trained.network->restore_weights(file, trained.scales);
  check_finite(file, "");
  return trained;
}

}  // namespace amp
