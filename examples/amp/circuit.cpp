// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "circuit.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amp {

DiodeClipper::DiodeClipper(const Values& values, double rate)
    : conductance_(1 / (values.resistance * values.capacitance)),
      current_(2 * values.saturation_current / values.capacitance),
      thermal_(values.thermal_voltage),
      half_(0.5 / rate) {}

double DiodeClipper::slope(double u, double v) const {
  return (u - v) * conductance_ - current_ * std::sinh(v / thermal_);
}

double DiodeClipper::step(double u) {
  v_ = solve(v_ + half_ * slope(u_, v_) + half_ * conductance_ * u);
  u_ = u;
  return v_;
}

// The root of a v + b sinh(v / V_t) = p. Both terms have the sign of v, so neither can be above p on its own.
double DiodeClipper::solve(double p) const {
  constexpr double kTolerance = 1e-10;
  const double a = 1 + half_ * conductance_, b = half_ * current_, size = std::abs(p);
  double low = 0, high = std::min(size / a, thermal_ * std::asinh(size / b));
  double v = std::clamp(std::copysign(1, p) * v_, low, high);
  for (;;) {
    const double excess = a * v + b * std::sinh(v / thermal_) - size;
    (excess > 0 ? high : low) = v;
    double next = v - excess / (a + b / thermal_ * std::cosh(v / thermal_));
    if (!(next >= low && next <= high)) next = 0.5 * (low + high);
    const double change = std::abs(next - v);
    v = next;
    if (!(change > kTolerance)) return std::copysign(v, p);  // what is no number ends here, too
  }
}

OnePole::OnePole(double frequency, double rate) : ratio_(std::numbers::pi * frequency / rate) {}

double OnePole::low(double u) {
  v_ = (v_ + ratio_ * (u_ + u - v_)) / (1 + ratio_);
  u_ = u;
  return v_;
}

Pedal::Pedal(const Values& values, double rate)
    : gain_(values.gain),
      level_(values.level),
      low_cut_(values.low_cut, rate),
      tone_(values.tone, rate),
      clipper_(values.clipper, rate) {}

}  // namespace amp
