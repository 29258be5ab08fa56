// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace amp {

/// A change of the sample rate by a whole factor, and back, by one low-pass filter: a sinc under a Kaiser window, as
/// long as 2 * 24 samples of the lower rate and symmetric, so that nothing is delayed.
///
/// Equations   up:    y[n] = sum_k factor h[n - factor k] x[k];   down:  x[k] = sum_n h[factor k - n] y[n]
///             h[n] = c / factor sinc(c n / factor) kaiser(n, 9); c = 0.9: the edge at 0.9 of half the lower rate
/// Source      Oppenheim and Schafer, "Discrete-time signal processing", chapters 4 and 7
class Resampler {
 public:
  explicit Resampler(int factor);

  std::vector<double> up(const std::vector<double>& x) const;
  std::vector<double> down(const std::vector<double>& y) const;

 private:
  static constexpr int kHalf = 24;  // samples of the lower rate to each side

  int factor_;
  std::vector<double> h_;  // h[n] for n = -kHalf factor .. kHalf factor
};

}  // namespace amp
