// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "minrnn/core/types.hpp"

namespace amp {

/// How many samples later a device answers, below 0 where the recording of it begins later: the lag at which the
/// response to an impulse, estimated from the cross-correlation, first comes to a quarter of its largest value. A later
/// one would ask a model for an answer to what it has not heard. None where no lag stands out.
///
/// Equations   h = F^-1(sum conj(X) Y / (sum |X|^2 + epsilon)), sums over windowed pieces of the recordings, which the
///             dry one's own correlation is divided out of; among lags of up to `most` either way
/// Source      Wiener's filter; Welch 1967 for the pieces
std::optional<minrnn::Index> estimate_latency(const std::vector<float>& dry, const std::vector<float>& wet,
                                              minrnn::Index most);

}  // namespace amp
