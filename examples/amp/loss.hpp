// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/check.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace amp {

struct LossOptions {
  double pre_emphasis = 0.85;  // [1] has 0.95
  /// What the mean square of a target is taken for at least, so that silence does not count more than music.
  double least_power = 1e-4;
};

/// The error-to-signal ratio of signals whose highs have been raised, as the ear would weigh them, and of their means;
/// and the gradient. Sums are those of double.
///
/// Equations   e = target - y;  P(s)_t = s_t - a s_{t-1} from the second frame on
///             loss = sum P(e)^2 / sum P(target)^2 + sum_b mean_t(e)^2 / sum_b mean_t(target^2)              [2, (5-8)]
/// Shapes      y, target, dy (1, T, B), T at least 2
/// Gradient    dy = -dL/de,
///             dL/de_t = 2 (P(e)_t - a P(e)_{t+1}) / sum P(target)^2 + 2 mean(e) / (T sum_b mean(target^2))
/// Throws      std::invalid_argument where shapes differ
/// Source      [1] Damskaegg, Juvela, Thuillier, Vaelimaeki 2019, "Deep learning for tube amplifier emulation",
///             arXiv:1811.00334;  [2] Wright, Damskaegg, Vaelimaeki 2019, "Real-time black-box modelling with recurrent
///             neural networks", DAFx-19
inline double error_to_signal(minrnn::SequenceView<const float> y, minrnn::SequenceView<const float> target,
                              minrnn::Sequence<float>& dy, const LossOptions& options = {}) {
  using minrnn::Index;
  const Index time = y.time(), batch = y.batch();
  minrnn::detail::check_sequence("error_to_signal", "y", y, 1);
  minrnn::detail::check_sequence("error_to_signal", "target", target, 1, time, batch);
  minrnn::detail::check_that(time >= 2, "error_to_signal", "time", "at least 2 frames", time);
  const double a = options.pre_emphasis, frames = static_cast<double>(time);
  const auto s = [&](Index t, Index b) { return static_cast<double>(*target.column(t, b)); };
  const auto e = [&](Index t, Index b) { return s(t, b) - static_cast<double>(*y.column(t, b)); };
  const auto raised = [&](const auto& of, Index t, Index b) { return of(t, b) - a * of(t - 1, b); };

  const double least = options.least_power * static_cast<double>(batch);
  double error = 0, signal = 0, error_of_means = 0, power = 0;
  minrnn::Matrix<double> means(batch, 1);  // of e
  for (Index b = 0; b < batch; ++b) {
    double sum = 0, squares = 0;
    for (Index t = 0; t < time; ++t) {
      if (t > 0) error += raised(e, t, b) * raised(e, t, b);
      if (t > 0) signal += raised(s, t, b) * raised(s, t, b);
      sum += e(t, b);
      squares += s(t, b) * s(t, b);
    }
    means(b) = sum / frames;
    error_of_means += means(b) * means(b);
    power += squares / frames;
  }
  signal = std::max(signal, least * frames);
  power = std::max(power, least);

  const minrnn::SequenceView<float> gradient = dy.resize(1, time, batch);
  for (Index b = 0; b < batch; ++b)
    for (Index t = 0; t < time; ++t) {
      const double here = t > 0 ? raised(e, t, b) : 0, next = t + 1 < time ? raised(e, t + 1, b) : 0;
      *gradient.column(t, b) = static_cast<float>(-2 * (here - a * next) / signal - 2 * means(b) / (frames * power));
    }
  return error / signal + error_of_means / power;
}

/// How much of a signal a model gets wrong, as the publications give it: sum e^2 / sum target^2. Pieces may be added
/// one after the other.
struct ErrorToSignal {
  double error = 0, signal = 0;

  void add(const float* y, const float* target, minrnn::Index count) {
    for (minrnn::Index t = 0; t < count; ++t) {
      const double s = static_cast<double>(target[t]), e = s - static_cast<double>(y[t]);
      error += e * e;
      signal += s * s;
    }
  }
  double ratio() const { return error / signal; }
};

}  // namespace amp
