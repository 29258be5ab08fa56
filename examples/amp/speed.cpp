// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "speed.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "alloc/counting.hpp"

namespace amp {

Speed measure(Stream& stream, std::vector<float> samples, double seconds) {
  constexpr Index kBlock = 64;
  using Clock = std::chrono::steady_clock;
  std::array<float, kBlock> out;
  samples.resize(std::max<std::size_t>(samples.size(), kBlock));
  std::vector<double> blocks;                                                 // microseconds
  blocks.reserve(static_cast<std::size_t>(std::max(seconds * 1e6, 1000.0)));  // at its end there is no room
  const auto microseconds = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
  const minrnn::tests::AllocationCount count;
  const Clock::time_point begin = Clock::now();
  std::size_t place = 0;
  while (blocks.size() < 1000 ||
         (microseconds(Clock::now() - begin) < seconds * 1e6 && blocks.size() < blocks.capacity())) {
    const Clock::time_point before = Clock::now();
    stream.process(samples.data() + place, out.data(), kBlock);
    blocks.push_back(microseconds(Clock::now() - before));
    place += kBlock;
    if (place + kBlock > samples.size()) place = 0;
  }
  const std::int64_t allocations = count.now();
  std::sort(blocks.begin(), blocks.end());
  const auto quantile = [&](double q) {
    return blocks[static_cast<std::size_t>(q * static_cast<double>(blocks.size() - 1))];
  };
  const double median = quantile(0.5);
  return {1e3 * median / kBlock, median, quantile(0.999), blocks.back(), allocations};
}

std::string speed_text(const Speed& speed, Index rate) {
  char text[300];
  std::snprintf(text, sizeof text,
                "%.1f ns a sample: %.2f %% of a core at %lld Hz\n"
                "blocks of 64 samples: median %.2f us, p99.9 %.2f us, longest %.2f us; %lld allocations\n",
                speed.ns_per_sample, 1e-7 * speed.ns_per_sample * static_cast<double>(rate),
                static_cast<long long>(rate), speed.median_us, speed.tail_us, speed.longest_us,
                static_cast<long long>(speed.allocations));
  return text;
}

}  // namespace amp
