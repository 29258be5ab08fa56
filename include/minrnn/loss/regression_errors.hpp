// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/loss/weights.hpp"

namespace minrnn {

/// How far predicted numbers are from what they should be, over any number of batches. Sums are those of double.
///
/// Equations   mean absolute error = mean |y - target|,  root mean square error = sqrt(mean (y - target)^2)
///             R^2 = 1 - sum (y - target)^2 / sum (target - mean target)^2, with the mean of each feature
/// Shapes      y, target (F, T, B); mask (1, T, B): 0 where a frame is ignored, as in the padding
/// Range       0 where nothing counts; R^2 of targets that do not vary is 1 without an error, and otherwise 0
/// Throws      std::invalid_argument where shapes differ, or the features of an earlier batch
class RegressionErrors {
 public:
  template <SequenceLike Y>
  void add(const Y& y, SequenceView<const typename Y::Scalar> target) {
    using S = typename Y::Scalar;
    add_frames<S>(y, target, detail::FrameWeights<S>());
  }
  template <SequenceLike Y>
  void add(const Y& y, SequenceView<const typename Y::Scalar> target, SequenceView<const std::uint8_t> mask) {
    using S = typename Y::Scalar;
    add_frames<S>(y, target, detail::FrameWeights<S>(mask));
  }
  void clear() { *this = {}; }

  /// The elements that count: F for each frame.
  Index count() const { return frames_ * static_cast<Index>(of_target_.size()); }
  double mean_absolute() const { return count() == 0 ? 0 : absolute_ / static_cast<double>(count()); }
  double root_mean_square() const { return count() == 0 ? 0 : std::sqrt(square_ / static_cast<double>(count())); }
  double r_squared() const {
    double variation = 0;
    for (const Moments& moments : of_target_) variation += moments.variation;
    if (count() == 0) return 0;
    return variation == 0 ? (square_ == 0 ? 1 : 0) : 1 - square_ / variation;
  }

 private:
  /// Of one feature of the targets.
  struct Moments {
    double mean = 0, variation = 0;  // the sum of (target - mean)^2
  };

  template <class S>
  void add_frames(SequenceView<const S> y, SequenceView<const S> target, const detail::FrameWeights<S>& mask) {
    const Index features = of_target_.empty() ? y.features() : static_cast<Index>(of_target_.size());
    detail::check_sequence("RegressionErrors", "y", y, features);
    detail::check_sequence("RegressionErrors", "target", target, features, y.time(), y.batch());
    mask.check_frames("RegressionErrors", y.time(), y.batch());
    of_target_.resize(static_cast<std::size_t>(features));
    for (Index b = 0; b < y.batch(); ++b)
      for (Index t = 0; t < y.time(); ++t)
        if (mask(t, b) > 0) add_frame(y.column(t, b), target.column(t, b));
  }

  template <class S>
  void add_frame(const S* y, const S* target) {
    const double n = static_cast<double>(++frames_);
    for (Moments& moments : of_target_) {
      const double wanted = static_cast<double>(*target++), error = static_cast<double>(*y++) - wanted;
      absolute_ += std::fabs(error);
      square_ += error * error;
      const double away = wanted - moments.mean;  // Welford's update: no difference of large sums
      moments.mean += away / n;
      moments.variation += away * (wanted - moments.mean);
    }
  }

  Index frames_ = 0;
  double absolute_ = 0, square_ = 0;
  std::vector<Moments> of_target_;  // of each feature
};

}  // namespace minrnn
