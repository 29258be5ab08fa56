// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// A bijection of 64 bits whose output passes for random: the finaliser of splitmix64.
/// Source  Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

namespace detail {
inline constexpr std::uint64_t kRandomStep = 0x9e3779b97f4a7c15u;  // 2^64 over the golden ratio, odd
}

class Random;

/// A sequence of random numbers by name: what a layer takes and fills its first weights with. Streams are made by
/// `random.stream(number)`, which is a pure function of the seed and the number, so no order in which a program makes
/// its layers, and in which a compiler evaluates arguments, decides any weight:
///   const Random random(seed);
///   Sequential net(MinGru<float>(3, 64, random.stream(0)), Linear<float>(64, 1, random.stream(1)));
/// What consists of several parts gives each a stream of its own stream. Equal streams make equal weights: give no two
/// layers the same one. Streams begin at random places of one cycle of 2^64 numbers, so that any two of n streams of m
/// numbers overlap with a probability below n^2 m 2^-64.
class RandomStream {
 public:
  RandomStream(const Random&) = delete;  // pass a stream of the generator: random.stream(0), random.stream(1), ...

  constexpr RandomStream stream(Index number) const {
    return RandomStream(mix_bits(mix_bits(~key_) + static_cast<std::uint64_t>(number) * detail::kRandomStep));
  }

 private:
  friend Random;
  explicit constexpr RandomStream(std::uint64_t key) : key_(key) {}

  std::uint64_t key_;
};

/// The library's generator: splitmix64. Every number is made of integer operations and at most one rounded product, so
/// it is the same on every standard library and platform.
class Random {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Random(std::uint64_t seed = 0) : Random(RandomStream(mix_bits(seed))) {}
  /// The numbers of a stream.
  explicit constexpr Random(RandomStream stream) : stream_(stream), state_(stream.key_) {}
  /// One that goes on with the numbers that come after `state()`; its streams are a function of that state.
  static constexpr Random from_state(std::uint64_t state) { return Random(RandomStream(state)); }
  constexpr std::uint64_t state() const { return state_; }

  /// A pure function of the seed and the number: the same whatever has been drawn, and apart from what will be.
  constexpr RandomStream stream(Index number) const { return stream_.stream(number); }

  static constexpr result_type(min)() { return 0; }
  static constexpr result_type(max)() { return ~result_type{0}; }
  constexpr result_type operator()() { return mix_bits(state_ += detail::kRandomStep); }

  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }
  /// Uniform in [-limit, limit).
  constexpr double symmetric(double limit) {
    return limit * (static_cast<double>(static_cast<std::int64_t>((*this)()) >> 11) * 0x1p-52);
  }
  /// A stand-in for a standard normal number: the sum of twelve uniform ones, which has mean 0, variance 1 and no tail
  /// beyond 6. The exact distribution needs a logarithm and a cosine, which differ from one mathematics library to the
  /// next.
  MINRNN_NOINLINE constexpr double normal() {
    std::int64_t sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<std::int64_t>((*this)()) >> 12;
    return static_cast<double>(sum) * 0x1p-52;
  }
  /// Uniform in 0 .. n - 1, without bias. Throws std::invalid_argument for n = 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    if (n == 0) detail::throw_argument("Random::below", "n", "at least 1", "0");
    for (const std::uint64_t limit = (max)() - (max)() % n;;)
      if (const std::uint64_t x = (*this)(); x < limit) return x % n;
  }

 private:
  RandomStream stream_;
  std::uint64_t state_;
};

template <class S>
MINRNN_NOINLINE void fill_symmetric(Matrix<S>& m, Random& random, double limit) {
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<S>(random.symmetric(limit));
}

template <class S>
MINRNN_NOINLINE void fill_normal(Matrix<S>& m, Random& random, double deviation) {
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<S>(deviation * random.normal());
}

}  // namespace minrnn
