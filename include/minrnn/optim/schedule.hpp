// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace minrnn {

/// A learning rate that rises linearly for `warm_up` steps and falls along half a cosine to `final_rate` at `steps`.
///
/// Equations   step < warm_up: rate (step + 1) / (warm_up + 1)
///             else: final_rate + (rate - final_rate) (1 + cos(pi u)) / 2,  u = (step - warm_up) / (steps - warm_up)
/// Source      Loshchilov and Hutter 2017, "SGDR"
struct CosineSchedule {
  double rate = 1e-3, final_rate = 1e-4;
  std::int64_t warm_up = 100, steps = 1000;

  /// The rate of a step, counted from 0; `final_rate` from `steps` on.
  double operator()(std::int64_t step) const {
    if (step < warm_up) return rate * static_cast<double>(step + 1) / static_cast<double>(warm_up + 1);
    return at(static_cast<double>(step - warm_up) / static_cast<double>(std::max<std::int64_t>(steps - warm_up, 1)));
  }
  /// The rate at a fraction of the fall, for runs that end by the clock.
  double at(double fraction) const {
    const double u = std::clamp(fraction, 0.0, 1.0);
    return final_rate + (rate - final_rate) * 0.5 * (1 + std::cos(std::numbers::pi * u));
  }
};

}  // namespace minrnn
