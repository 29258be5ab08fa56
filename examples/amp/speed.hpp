// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "network.hpp"

namespace amp {

/// How long a stream takes for blocks of 64 samples, one after the other.
struct Speed {
  double ns_per_sample;                   // of the median block
  double median_us, tail_us, longest_us;  // of a block; the tail is what one in a thousand exceeds
  std::int64_t allocations;
};
/// Of these samples, a block at least with silence behind them, played again and again for so many seconds.
Speed measure(Stream& stream, std::vector<float> samples, double seconds);

/// As lines for people.
std::string speed_text(const Speed& speed, Index rate);

}  // namespace amp
