// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/lstm.hpp"

#include <memory>

#include "network_of.hpp"

namespace amp {

std::unique_ptr<Network> make_lstm(const ModelSettings& settings, minrnn::RandomStream stream) {
  return network_around<minrnn::Lstm<float>>(settings, stream);
}

}  // namespace amp
