// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/diagonal_gru.hpp"

#include <memory>

#include "network_of.hpp"

namespace amp {

std::unique_ptr<Network> make_diagonal_gru(const ModelSettings& settings, minrnn::RandomStream stream) {
  return network_around<minrnn::DiagonalGru<float>>(settings, stream);
}

}  // namespace amp
