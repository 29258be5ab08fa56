// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"

namespace minrnn {

/// A learning rate that rises linearly for `warm_up` steps and falls along half a cosine to `final_rate` at `steps`.
///
/// Equations   step >= steps: final_rate;  step < warm_up: rate (step + 1) / (warm_up + 1)
///             else: final_rate + (rate - final_rate) (1 + cos(pi u)) / 2,  u = (step - warm_up) / (steps - warm_up)
/// Throws      std::invalid_argument where it is asked and a rate is no finite number of at least 0, warm_up, steps or
///             the step is negative, or the fraction is NaN
/// Source      Loshchilov and Hutter 2017, "SGDR"
struct CosineSchedule {
  double rate = 1e-3, final_rate = 1e-4;
  std::int64_t warm_up = 100, steps = 1000;

  /// The rate of a step, counted from 0; `final_rate` from `steps` on.
  double operator()(std::int64_t step) const {
    check_rates();
    const auto wants_count = [](std::string_view argument, std::int64_t count) {
      if (count < 0) [[unlikely]]
        detail::throw_argument("CosineSchedule", argument, "at least 0", count);
    };
    wants_count("warm_up", warm_up);
    wants_count("steps", steps);
    wants_count("step", step);
    if (step >= steps) return final_rate;
    if (step < warm_up) return rate * (static_cast<double>(step) + 1) / (static_cast<double>(warm_up) + 1);
    return at(static_cast<double>(step - warm_up) / static_cast<double>(steps - warm_up));
  }
  /// The rate at a fraction of the fall, for runs that end by the clock.
  double at(double fraction) const {
    check_rates();
    if (detail::is_nan(fraction)) [[unlikely]]
      detail::throw_argument("CosineSchedule::at", "fraction", "a number", "NaN");
    const double u = std::clamp(fraction, 0.0, 1.0);
    return final_rate + (rate - final_rate) * 0.5 * (1 + std::cos(std::numbers::pi * u));
  }

 private:
  void check_rates() const {
    const auto wants_rate = [](std::string_view argument, double given) {
      if (!(given >= 0 && detail::is_finite(given))) [[unlikely]]
        detail::throw_argument("CosineSchedule", argument, "a finite number of at least 0", given);
    };
    wants_rate("rate", rate);
    wants_rate("final_rate", final_rate);
  }
};

}  // namespace minrnn
