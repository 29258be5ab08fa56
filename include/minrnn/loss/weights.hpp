// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// What each frame, or each answer, counts in the mean of a loss: numbers (1, T, B) of at least 0, for instance larger
/// ones for rare classes. One of weight 0 is ignored, whatever stands in it. A view: it must outlive the call.
template <class S>
class Weights {
 public:
  explicit Weights(SequenceView<const S> view) : view_(view) {}

  SequenceView<const S> view() const { return view_; }

 private:
  SequenceView<const S> view_;
};
template <SequenceLike V>
Weights(const V&) -> Weights<typename V::Scalar>;

namespace detail {

/// What each frame counts: 1, or what a mask or weights say.
template <class S>
class FrameWeights {
 public:
  FrameWeights() = default;
  explicit FrameWeights(SequenceView<const std::uint8_t> mask) : kind_(Kind::mask), mask_(mask) {}
  explicit FrameWeights(const Weights<S>& weights) : kind_(Kind::weights), weights_(weights.view()) {}

  /// Throws unless they are those of so many frames, finite and not negative.
  void check_frames(std::string_view where, Index time, Index batch) const {
    if (kind_ == Kind::mask) check_sequence(where, "mask", mask_, 1, time, batch);
    if (kind_ != Kind::weights) return;
    check_sequence(where, "weights", weights_, 1, time, batch);
    for (Index b = 0; b < batch; ++b)
      for (Index t = 0; t < time; ++t) {
        const double weight = (*this)(t, b);
        check_that(weight >= 0 && is_finite(weight), where, "weights", "finite numbers of at least 0", weight);
      }
  }
  /// Whether all are 1, unseen.
  bool all_count() const { return kind_ == Kind::none; }
  double operator()(Index t, Index b) const {
    return kind_ == Kind::none   ? 1
           : kind_ == Kind::mask ? (*mask_.column(t, b) != 0 ? 1 : 0)
                                 : static_cast<double>(*weights_.column(t, b));
  }

 private:
  enum class Kind { none, mask, weights };

  Kind kind_ = Kind::none;
  SequenceView<const std::uint8_t> mask_;  // (1, T, B)
  SequenceView<const S> weights_;          // (1, T, B)
};

}  // namespace detail
}  // namespace minrnn
