// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/testing/any_layer.hpp"

namespace tool {

/// What some mixers are made from, beside their sizes.
struct MixerSettings {
  minrnn::Index expansion = 2;          // of a mixer with projections of its own
  minrnn::Index heads = 1, window = 1;  // of a transformer
  double memory = 0;  // frames that the last channel of a diagonal mixer remembers at first; 0: as it begins by itself
};

/// A mixer whose type is known only to the list, in mixers.cpp: a model around it is compiled once, and not once for
/// each mixer.
using AnyLayer = minrnn::detail::erased::AnyLayer<float>;
template <bool has_own_projections>
using AnyMixer = minrnn::detail::erased::AnyMixer<float, has_own_projections>;

/// One of the list: its name, and how it is made.
struct ListedMixer {
  std::string name;
  bool has_own_projections;
  AnyLayer (*make)(const MixerSettings& settings, minrnn::Index inputs, minrnn::Index features,
                   minrnn::RandomStream own);
};

/// Throws InputError where none has this name.
const ListedMixer& mixer_of(std::string_view name);

/// body(make_mixer) of the mixer of this name; make_mixer(features in, features out, stream) makes an AnyMixer. Throws
/// InputError where there is none.
template <class Body>
auto with_mixer(std::string_view name, const MixerSettings& settings, const Body& body) {
  const ListedMixer& mixer = mixer_of(name);
  const auto made = [&]<bool has_own_projections>(std::bool_constant<has_own_projections>) {
    return body([&](minrnn::Index inputs, minrnn::Index features, minrnn::RandomStream own) {
      return AnyMixer<has_own_projections>(mixer.make(settings, inputs, features, own));
    });
  };
  return mixer.has_own_projections ? made(std::true_type{}) : made(std::false_type{});
}

}  // namespace tool
