// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <optional>
#include <vector>

#include <Eigen/Core>
#include <unsupported/Eigen/FFT>

namespace amp {
namespace {

using minrnn::Index;
using Spectrum = std::vector<std::complex<double>>;

/// The impulse response at the lags 0, 1, ... -2, -1, of pieces of so many samples.
std::vector<double> response(const std::vector<float>& dry, const std::vector<float>& wet, std::size_t piece) {
  Eigen::FFT<double> fft;
  Spectrum x, y, cross(piece), power(piece);
  std::vector<double> windowed(piece), answer(piece);
  for (std::size_t first = 0; first + piece <= std::min(dry.size(), wet.size()); first += piece / 2) {
    const auto transform = [&](const std::vector<float>& signal, Spectrum& spectrum) {
      for (std::size_t t = 0; t < piece; ++t) {
        const double place = static_cast<double>(t) / static_cast<double>(piece);
        windowed[t] = (0.5 - 0.5 * std::cos(2 * std::numbers::pi * place)) * static_cast<double>(signal[first + t]);
      }
      fft.fwd(spectrum, windowed);
    };
    transform(dry, x);
    transform(wet, y);
    for (std::size_t k = 0; k < piece; ++k) {
      cross[k] += std::conj(x[k]) * y[k];
      power[k] += std::norm(x[k]);
    }
  }
  double mean = 0;
  for (const auto& p : power) mean += p.real() / static_cast<double>(piece);
  // Where the dry signal has next to nothing there is only noise to divide by.
  for (std::size_t k = 0; k < piece; ++k) cross[k] /= power[k].real() + 1e-4 * mean + 1e-30;
  fft.inv(answer, cross);
  return answer;
}

}  // namespace

std::optional<Index> estimate_latency(const std::vector<float>& dry, const std::vector<float>& wet, Index most) {
  constexpr double kStandsOut = 8;  // times the root mean square of all lags
  const std::size_t size = std::min(dry.size(), wet.size());
  const std::size_t piece = std::min(std::bit_ceil(static_cast<std::size_t>(8 * most)), std::bit_floor(size));
  most = std::min(most, static_cast<Index>(piece / 4));
  if (most < 1) return std::nullopt;
  const std::vector<double> h = response(dry, wet, piece);
  const auto at = [&](Index lag) {
    return std::abs(h[static_cast<std::size_t>(lag < 0 ? lag + static_cast<Index>(piece) : lag)]);
  };
  Index peak = 0;
  double square = 0;
  for (Index lag = -most; lag <= most; ++lag) {
    if (at(lag) > at(peak)) peak = lag;
    square += at(lag) * at(lag) / static_cast<double>(2 * most + 1);
  }
  if (!(at(peak) > kStandsOut * std::sqrt(square))) return std::nullopt;
  Index first = peak;
  while (first > -most && peak - first < 16 && at(first - 1) >= 0.25 * at(peak)) --first;
  return first;
}

}  // namespace amp
