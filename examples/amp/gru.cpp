// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/gru.hpp"

#include <memory>

#include "network_of.hpp"

namespace amp {

std::unique_ptr<Network> make_gru(const ModelSettings& settings, minrnn::RandomStream stream) {
  return network_around<minrnn::Gru<float>>(settings, stream);
}

}  // namespace amp
