// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "network.hpp"

#include <memory>
#include <string>

#include "minrnn/io/safetensors.hpp"
#include "network_of.hpp"
#include "support/checkpoints.hpp"
#include "support/mixers.hpp"

namespace sequence_tool {

std::unique_ptr<Network> make_network(const ModelSettings& s, minrnn::RandomStream stream) {
  if (s.bidirectional) return make_bidirectional(s, stream);
  const MixerSettings mixer{.expansion = s.expansion, .heads = s.heads, .window = s.window, .memory = s.memory};
  return with_mixer(s.mixer, mixer, [&](auto make_mixer) -> std::unique_ptr<Network> {
    return network_around<decltype(make_mixer(Index{}, Index{}, stream))>(s, stream, make_mixer);
  });
}

Trained read_checkpoint(const std::string& path) {
  minrnn::TensorFile file = minrnn::read_safetensors(path_of(path));
  Trained trained{ModelSettings::from(file), {}, nullptr};
  const ModelSettings& s = trained.settings;
  const auto room = [](Index numbers) {
    return Scale{minrnn::Matrix<double>::Zero(numbers, 1), minrnn::Matrix<double>::Zero(numbers, 1)};
  };
  trained.scales.features = room(s.source == Source::table ? s.inputs() : 1);
  if (s.task == Task::regression) trained.scales.target = room(1);
  trained.network = make_network(s, minrnn::Random().stream(0));
  trained.network->restore_weights(file, trained.scales);
  check_finite(file, "");
  return trained;
}

}  // namespace sequence_tool
