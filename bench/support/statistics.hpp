// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <vector>

namespace minrnn::bench {

/// The wall time of one call, in seconds.
template <class Work>
double seconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The smallest sample that at least a fraction q of all samples does not exceed; NaN where there are none.
inline double quantile(std::vector<double> samples, double q) {
  if (samples.empty()) return std::nan("");
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(q * static_cast<double>(samples.size()))) - 1;
  const auto nth = samples.begin() + std::max<std::ptrdiff_t>(rank, 0);
  std::nth_element(samples.begin(), nth, samples.end());
  return *nth;
}

inline double median(const std::vector<double>& samples) { return quantile(samples, 0.5); }

/// The median of a[i] / b[i]: what alternated is compared pair by pair, so that a slow second spoils both sides.
inline double median_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(a[i] / b[i]);
  return median(ratios);
}

}  // namespace minrnn::bench
