// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

namespace amp {

/// A resistor into a capacitor with two antiparallel diodes beside it.
///
/// Equations   dv/dt = (u - v) / (R C) - 2 I_s / C sinh(v / V_t)                                             [1, (4)]
///             by the trapezoidal rule, v = v_- + T/2 (dv/dt(u_-, v_-) + dv/dt(u, v)), solved for v to 1e-10 V
/// Range       any finite u: the equation has one root, which lies between 0 and two bounds of the same sign. Newton's
///             method, where it leaves what is left of that bracket, gives way to a bisection
/// Source      [1] Yeh, Abel, Smith 2007, "Simulation of the diode limiter in guitar distortion circuits by numerical
///             solution of ordinary differential equations", DAFx-07; the values are those of its table
struct DiodeClipper {
  struct Values {
    double resistance = 2.2e3, capacitance = 10e-9;  // ohm, farad
    double saturation_current = 2.52e-9;             // ampere
    double thermal_voltage = 45.3e-3;                // volt, with the diode's ideality
  };

  DiodeClipper(const Values& values, double rate);

  /// The voltage over the diodes, T = 1 / rate after the last one.
  double step(double u);

 private:
  double slope(double u, double v) const;
  double solve(double p) const;

  double conductance_, current_, thermal_;  // 1 / (R C), 2 I_s / C, V_t
  double half_;                             // T / 2
  double u_ = 0, v_ = 0;
};

/// One real pole, by the trapezoidal rule: what lets pass what is below the frequency, or above it.
///
/// Equations   tau dv/dt = u - v, tau = 1 / (2 pi f);  low = v, high = u - v
class OnePole {
 public:
  OnePole(double frequency, double rate);
  double low(double u);
  double high(double u) { return u - low(u); }

 private:
  double ratio_;  // T / (2 tau)
  double u_ = 0, v_ = 0;
};

/// A distortion pedal in four stages, each driven by an amplifier: what is low is taken away, the rest is made louder
/// and clipped, and a tone control takes the edge off.
class Pedal {
 public:
  struct Values {
    double low_cut = 160, gain = 40, tone = 4500, level = 0.8;  // Hz, 1, Hz, 1
    DiodeClipper::Values clipper;
  };

  Pedal(const Values& values, double rate);
  double step(double u) { return level_ * tone_.low(clipper_.step(gain_ * low_cut_.high(u))); }

 private:
  double gain_, level_;
  OnePole low_cut_, tone_;
  DiodeClipper clipper_;
};

}  // namespace amp
