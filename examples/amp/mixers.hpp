// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "minrnn/core/random.hpp"
#include "network.hpp"

namespace amp {

/// Each mixer in an object of its own, as each compiles for some seconds.
std::unique_ptr<Network> make_min_gru(const ModelSettings& settings, minrnn::RandomStream stream);
std::unique_ptr<Network> make_signed_min_gru(const ModelSettings& settings, minrnn::RandomStream stream);
std::unique_ptr<Network> make_diagonal_gru(const ModelSettings& settings, minrnn::RandomStream stream);
std::unique_ptr<Network> make_gru(const ModelSettings& settings, minrnn::RandomStream stream);
std::unique_ptr<Network> make_lstm(const ModelSettings& settings, minrnn::RandomStream stream);

}  // namespace amp
