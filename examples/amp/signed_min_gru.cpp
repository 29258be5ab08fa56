// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/min_gru.hpp"

#include <memory>

#include "network_of.hpp"

namespace amp {

std::unique_ptr<Network> make_signed_min_gru(const ModelSettings& settings, minrnn::RandomStream stream) {
  return network_around<minrnn::SignedMinGru<float>>(settings, stream);
}

}  // namespace amp
