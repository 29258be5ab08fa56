// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "support/mixers.hpp"

/// What a list of mixers is written with: mixers.cpp has that of the tools, web/mixers.cpp that of the page.
namespace tool {

/// Defined in erase.hpp, for the files *_mixers.cpp: a list would compile all of its mixers once more.
template <class Mixer>
AnyLayer erase(Mixer mixer);

template <class Mixer>
ListedMixer recurrent(const char* name) {
  return {name, false,
          [](const MixerSettings&, minrnn::Index inputs, minrnn::Index features, minrnn::RandomStream own) {
            return erase(Mixer(inputs, features, own));
          }};
}

/// The one list of mixers that a program has.
const std::vector<ListedMixer>& mixers();

}  // namespace tool
