// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/kernels/packet.hpp"

/// How far a function on packets lies from its value in long double.
namespace minrnn::tests {

/// f(x) for one scalar: every lane computes the same.
template <class S, class F>
S at(F&& f, S x) {
  return f(Packet<S>(x)).first();
}

/// 200000 numbers in [low, high]: a grid, uniform ones, and powers of two of either sign where the range has them.
template <class S>
std::vector<S> arguments(double low, double high) {
  std::vector<S> list{static_cast<S>(low), static_cast<S>(high)};
  constexpr int kGrid = 100000;
  Random random(5);
  const auto add = [&](double x) {
    if (x >= low && x <= high) list.push_back(static_cast<S>(x));
  };
  for (int i = 0; i <= kGrid; ++i) {
    add(low + (high - low) * i / kGrid);
    add(low + (high - low) * random.uniform());
    const double magnitude = std::exp2(-30 + 37 * random.uniform());
    add(magnitude);
    add(-magnitude);
  }
  return list;
}

struct Error {
  double eps = 0;  // in units of the distance from 1 to the next number
  double x = 0;
};

/// The largest |f(x) - exact(x)| / max(floor, |exact(x)|): relative for floor = 0.
template <class S, class F, class Exact>
Error worst_error(F&& f, Exact&& exact, double low, double high, double floor = 0) {
  constexpr Index kWidth = Packet<S>::size;
  auto list = arguments<S>(low, high);
  while (list.size() % kWidth != 0) list.push_back(list.back());
  Error worst;
  for (std::size_t i = 0; i < list.size(); i += kWidth) {
    S values[kWidth];
    f(Packet<S>::load(list.data() + i)).store(values);
    for (Index k = 0; k < kWidth; ++k) {
      const S x = list[i + static_cast<std::size_t>(k)];
      const long double wanted = exact(static_cast<long double>(x));
      const long double scale = std::max(static_cast<long double>(floor), std::abs(wanted));
      if (scale == 0 && values[k] == 0) continue;
      const double error = static_cast<double>(std::abs(static_cast<long double>(values[k]) - wanted) / scale) /
                           static_cast<double>(std::numeric_limits<S>::epsilon());
      if (!std::isnan(worst.eps) && !(error <= worst.eps)) worst = {error, static_cast<double>(x)};
    }
  }
  return worst;
}

}  // namespace minrnn::tests

/// f within `limit` eps of `exact`; the figure that was measured is a property of the test.
#define MINRNN_EXPECT_ACCURATE(S, f, exact, low, high, floor, limit)                          \
  do {                                                                                        \
    const auto measured = ::minrnn::tests::worst_error<S>(f, exact, low, high, floor);        \
    const std::string scalar = std::is_same_v<S, float> ? "float" : "double";                 \
    EXPECT_LE(measured.eps, limit) << #f << " at " << measured.x << " in " << scalar;         \
    ::testing::Test::RecordProperty("eps_of_" #f "_" + scalar, std::to_string(measured.eps)); \
  } while (false)
