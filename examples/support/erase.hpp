// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "support/mixers.hpp"

namespace tool {

/// Forgets the type of a mixer. The files *_mixers.cpp, which alone include this, compile each of them once.
template <class Mixer>
AnyLayer erase(Mixer mixer) {
  return AnyLayer(std::move(mixer));
}

}  // namespace tool
