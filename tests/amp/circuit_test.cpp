// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "circuit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

namespace amp {
namespace {

constexpr double kPi = std::numbers::pi;

/// The voltage over the diodes at the times 0, 1 / rate, 2 / rate ..., by Kirchhoff's law, the exponentials of each
/// diode and the classical Runge-Kutta method in steps of 10 ns, a quarter of the shortest time constant.
std::vector<double> integrate(const std::function<double(double)>& u, double rate, int count) {
  const double r = 2.2e3, c = 10e-9, i_s = 2.52e-9, v_t = 45.3e-3;
  const auto slope = [&](double t, double v) {
    const double through_diodes = i_s * (std::exp(v / v_t) - 1) - i_s * (std::exp(-v / v_t) - 1);
    return ((u(t) - v) / r - through_diodes) / c;
  };
  const int steps = static_cast<int>(std::ceil(1 / rate / 10e-9));
  const double dt = 1 / rate / steps;
  std::vector<double> voltages{0};
  double v = 0;
  for (int n = 1; n < count; ++n) {
    for (int i = 0; i < steps; ++i) {
      const double t = (n - 1) / rate + i * dt;
      const double k1 = slope(t, v), k2 = slope(t + dt / 2, v + dt / 2 * k1);
      const double k3 = slope(t + dt / 2, v + dt / 2 * k2), k4 = slope(t + dt, v + dt * k3);
      v += dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    voltages.push_back(v);
  }
  return voltages;
}

double root_mean_square_error(double rate) {
  const auto u = [](double t) { return 6 * std::sin(2 * kPi * 500 * t) + 2 * std::sin(2 * kPi * 1730 * t); };
  const int count = static_cast<int>(rate * 4e-3);
  const auto wanted = integrate(u, rate, count);
  DiodeClipper clipper({}, rate);
  double sum = 0;
  for (int n = 0; n < count; ++n) {
    const double error = clipper.step(u(n / rate)) - wanted[static_cast<std::size_t>(n)];
    sum += error * error / count;
  }
  return std::sqrt(sum);
}

TEST(DiodeClipper, AgreesWithAFineIntegrationToSecondOrder) {
  const double coarse = root_mean_square_error(8 * 48000), fine = root_mean_square_error(16 * 48000);
  EXPECT_LT(coarse, 2e-3);  // volt, of 0.6: what eight times 48 kHz leaves of the rule's error
  // The rule's error falls with the square of the step, to within a quarter as the input has corners at the diodes.
  EXPECT_GT(coarse / fine, 3);
  EXPECT_LT(coarse / fine, 5);
}

TEST(DiodeClipper, SolvesItsEquationWhateverTheInput) {
  const double rate = 384000, half = 0.5 / rate;
  const DiodeClipper::Values values;
  const auto slope = [&](double u, double v) {
    return (u - v) / (values.resistance * values.capacitance) -
           2 * values.saturation_current / values.capacitance * std::sinh(v / values.thermal_voltage);
  };
  for (const double size : {1e-9, 1e-3, 0.5, 5.0, 500.0, 1e6}) {
    DiodeClipper clipper(values, rate);
    double u_before = 0, v_before = 0;
    for (int n = 0; n < 200; ++n) {
      const double u = n % 3 == 0 ? size : n % 3 == 1 ? -size : 0;
      const double v = clipper.step(u);
      // The error of v to first order: what is left of the equation over its slope.
      const double left = v - v_before - half * (slope(u_before, v_before) + slope(u, v));
      const double by_v = 1 + half / (values.resistance * values.capacitance) +
                          half * 2 * values.saturation_current / values.capacitance / values.thermal_voltage *
                              std::cosh(v / values.thermal_voltage);
      ASSERT_LT(std::abs(left / by_v), 1e-10 + 1e-12 * std::abs(v)) << size << " V, step " << n;
      u_before = u;
      v_before = v;
    }
  }
}

TEST(DiodeClipper, ComesToRestWhereTheCurrentsAreEqual) {
  DiodeClipper clipper({}, 48000);
  double v = 0;
  for (int n = 0; n < 1000; ++n) v = clipper.step(3);
  EXPECT_NEAR((3 - v) / 2.2e3, 2 * 2.52e-9 * std::sinh(v / 45.3e-3),
              1e-9);  // 1e-10 V by the slope of the diodes, 30 mS
}

TEST(OnePole, HasItsCornerWhereItSays) {
  const double rate = 384000, frequency = 1000;
  for (const double f : {100.0, 1000.0, 5000.0}) {
    OnePole low(frequency, rate), high(frequency, rate);
    double peak_low = 0, peak_high = 0;
    for (int n = 0; n < 400000; ++n) {
      const double u = std::sin(2 * kPi * f / rate * n), l = low.low(u), h = high.high(u);
      if (n > 200000) peak_low = std::max(peak_low, std::abs(l));
      if (n > 200000) peak_high = std::max(peak_high, std::abs(h));
    }
    const double ratio = f / frequency;
    EXPECT_NEAR(peak_low, 1 / std::sqrt(1 + ratio * ratio), 1e-3);  // the rule bends the axis by (f / rate)^2
    EXPECT_NEAR(peak_high, ratio / std::sqrt(1 + ratio * ratio), 1e-3);
  }
}

}  // namespace
}  // namespace amp
