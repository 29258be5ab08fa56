// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <memory>

#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/models/mixer_blocks.hpp"
#include "network_of.hpp"
#include "support/mixers.hpp"

namespace sequence_tool {
namespace {

/// Has projections of its own where its directions have.
template <class Mixer>
struct TwoDirections : minrnn::Bidirectional<Mixer> {
  static constexpr bool kHasOwnProjections = minrnn::MixerWithProjections<Mixer>;
  using minrnn::Bidirectional<Mixer>::Bidirectional;
};

}  // namespace

std::unique_ptr<Network> make_bidirectional(const ModelSettings& s, minrnn::RandomStream stream) {
  const MixerSettings mixer{.expansion = s.expansion, .heads = s.heads, .window = s.window, .memory = s.memory};
  return with_mixer(s.mixer, mixer, [&](auto make_mixer) -> std::unique_ptr<Network> {
    using Mixer = TwoDirections<decltype(make_mixer(Index{}, Index{}, stream))>;
    return network_around<Mixer>(s, stream, [&](Index inputs, Index features, minrnn::RandomStream own) {
      return Mixer(make_mixer(inputs, features, own.stream(0)), make_mixer(inputs, features, own.stream(1)),
                   minrnn::Join::added);
    });
  });
}

}  // namespace sequence_tool
