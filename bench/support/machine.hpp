// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <map>

#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "statistics.hpp"
#include "threads.hpp"

namespace minrnn::bench {

/// Multiply-adds on registers alone, one thread: as many independent chains as hide the latency.
template <class S>
double fma_chains(Index rounds) {
  constexpr int kChains = 12;
  std::array<Packet<S>, kChains> sums;
  for (int i = 0; i < kChains; ++i) sums[static_cast<std::size_t>(i)] = Packet<S>(static_cast<S>(i));
  const Packet<S> a(S(0.999)), b(S(0.001));
  for (Index round = 0; round < rounds; ++round) detail::unroll<kChains>([&](auto i) { sums[i] = fma(a, sums[i], b); });
  double sum = 0;
  for (const auto& packet : sums) sum += static_cast<double>(packet.sum());
  return sum;
}

/// Floating-point operations a second that this machine can do with the instructions this program is compiled for: the
/// best of several tries on the given number of threads, measured once for each number.
template <class S>
double peak_flops(int threads) {
  static std::map<int, double> known;
  if (const auto found = known.find(threads); found != known.end()) return found->second;
  set_threads(threads);
  constexpr Index kRounds = 2'000'000, kTries = 20;
  constexpr double kOperations = 2.0 * 12 * Packet<S>::size * kRounds;
  double best = 0;
  for (Index i = 0; i < kTries; ++i) {
    volatile double sink = 0;
    const double seconds = seconds_of([&] {
      parallel_for(context(), threads, [&](Index tile, Index) {
        const double sum = fma_chains<S>(kRounds);
        if (tile == 0) sink = sum;
      });
    });
    best = std::max(best, threads * kOperations / seconds);
  }
  return known[threads] = best;
}

}  // namespace minrnn::bench
