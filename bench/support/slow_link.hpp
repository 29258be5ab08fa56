// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <thread>

#include "minrnn/distributed/communicator.hpp"

namespace minrnn::bench {

/// A communicator over a link that is slower than it is: an exchange takes at least the latency and the time of the
/// longer of its two messages, which go in both directions at a time. It waits asleep, as a network card would work.
class SlowLink final : public Communicator {
 public:
  /// Bytes a second in each direction, and seconds; a bandwidth of 0 leaves the link as it is.
  SlowLink(Communicator& ranks, double bandwidth, double latency)
      : ranks_(ranks), bandwidth_(bandwidth), latency_(latency) {}
  Index rank() const override { return ranks_.rank(); }
  Index size() const override { return ranks_.size(); }
  void exchange(Index other, std::span<const std::byte> sent, std::span<std::byte> received) override {
    const auto start = std::chrono::steady_clock::now();
    ranks_.exchange(other, sent, received);
    if (bandwidth_ <= 0) return;
    const double bytes = static_cast<double>(std::max(sent.size(), received.size()));
    std::this_thread::sleep_until(start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                              std::chrono::duration<double>(latency_ + bytes / bandwidth_)));
  }
  void cancel() override { ranks_.cancel(); }

 private:
  Communicator& ranks_;
  double bandwidth_, latency_;
};

}  // namespace minrnn::bench
