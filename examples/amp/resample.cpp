// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace amp {
namespace {

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

/// The modified Bessel function of order 0, by its series. (That of the standard library is missing from libc++.)
double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

}  // namespace

Resampler::Resampler(int factor) : factor_(factor) {
  constexpr double kEdge = 0.9, kBeta = 9;
  const int reach = kHalf * factor;
  for (int n = -reach; n <= reach; ++n) {
    const double place = static_cast<double>(n) / reach, time = static_cast<double>(n) / factor;
    const double window = bessel_i0(kBeta * std::sqrt(1 - place * place)) / bessel_i0(kBeta);
    h_.push_back(kEdge / factor * sinc(kEdge * time) * window);
  }
}

std::vector<double> Resampler::up(const std::vector<double>& x) const {
  const auto size = static_cast<std::ptrdiff_t>(x.size());
  std::vector<double> y(x.size() * static_cast<std::size_t>(factor_));
  for (std::ptrdiff_t n = 0; n < size * factor_; ++n) {
    const std::ptrdiff_t first = std::max<std::ptrdiff_t>(n / factor_ - kHalf + (n % factor_ != 0), 0);
    const std::ptrdiff_t last = std::min(n / factor_ + kHalf, size - 1);
    double sum = 0;
    for (std::ptrdiff_t k = first; k <= last; ++k)
      sum += h_[static_cast<std::size_t>(n - factor_ * k + kHalf * factor_)] * x[static_cast<std::size_t>(k)];
    y[static_cast<std::size_t>(n)] = factor_ * sum;
  }
  return y;
}

std::vector<double> Resampler::down(const std::vector<double>& y) const {
  const auto size = static_cast<std::ptrdiff_t>(y.size());
  const std::ptrdiff_t reach = kHalf * factor_;
  std::vector<double> x(y.size() / static_cast<std::size_t>(factor_));
  for (std::size_t k = 0; k < x.size(); ++k) {
    const std::ptrdiff_t middle = static_cast<std::ptrdiff_t>(k) * factor_;
    const std::ptrdiff_t first = std::max<std::ptrdiff_t>(middle - reach, 0), last = std::min(middle + reach, size - 1);
    double sum = 0;
    for (std::ptrdiff_t n = first; n <= last; ++n)
      sum += h_[static_cast<std::size_t>(middle - n + reach)] * y[static_cast<std::size_t>(n)];
    x[k] = sum;
  }
  return x;
}

}  // namespace amp
