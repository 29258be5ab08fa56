// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// The state of a layer that sees earlier frames: all that are still to be seen.
template <class S>
struct FrameTail {
  Matrix<S> tail;  // (F (K-1) D, B): the frames before the next one, oldest first; 0 where nothing is to be seen

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "tail", self.tail);
  }
};

namespace detail {

/// What a causal convolution of K taps, D frames from each to the next, sees at a time: frames of the call, and before
/// them (K - 1) D of a tail. Nothing is seen across a start.
template <class S>
class FrameWindow {
 public:
  /// Throws std::invalid_argument for a size below 1, or a tail beyond all sizes.
  FrameWindow(const char* layer, Index features, Index kernel, Index dilation)
      : features_(features), kernel_(kernel), dilation_(dilation) {
    check_size(layer, "features", features);
    check_size(layer, "kernel", kernel);
    check_size(layer, "dilation", dilation);
    check_product(layer, "dilation", dilation, kernel);
    check_product(layer, "dilation", dilation * kernel, features);
    span_ = (kernel - 1) * dilation;
  }

  Index features() const { return features_; }
  Index kernel() const { return kernel_; }
  Index dilation() const { return dilation_; }
  Index tail_size() const { return features_ * span_; }

  FrameTail<S> initial_state(Index batch) const { return {Matrix<S>::Zero(tail_size(), batch)}; }
  void check_tail(const char* layer, const char* what, const Matrix<S>& tail, Index batch) const {
    check_matrix(layer, what, tail, tail_size(), batch);
  }

  SequenceView<S> frames_of(Matrix<S>& tail) const { return {tail.data(), features_, span_, tail.cols()}; }
  /// A copy in memory that never shrinks, so that `step` may change its batch size without an allocation.
  SequenceView<const S> copy(const Matrix<S>& tail, Sequence<S>& to) const {
    const SequenceView<S> frames = to.resize(features_, span_, tail.cols());
    std::copy_n(tail.data(), tail.size(), frames.data());
    return frames;
  }

  /// How many taps besides that of the present frame see something at t.
  MINRNN_INLINE Index earlier_taps(const SequenceView<const S>& x, Index t, Index b) const {
    const Index frames = reach(x, t, b);
    return dilation_ == 1 ? frames : frames / dilation_;  // without a division where none is needed
  }
  /// The frame at t, which lies in the tail before the call where t is below 0.
  Row<const S> frame(const SequenceView<const S>& x, const SequenceView<const S>& before, Index t, Index b) const {
    return t >= 0 ? x.row(t, b) : before.row(span_ + t, b);
  }

  /// Which of the outputs at s + j D, 0 <= j < K, saw the frame at s: those from the first on, below `end`.
  struct Outputs {
    Index first, end;
  };
  Outputs outputs_of(const SequenceView<const S>& x, Index s, Index b) const {
    Outputs outputs{0, 0};
    Index t = s;
    for (; t < 0; t += dilation_) ++outputs.first;
    outputs.end = outputs.first;
    while (outputs.end < kernel_ && t < x.time() && reach(x, t, b) >= t - s) {
      ++outputs.end;
      t += dilation_;
    }
    return outputs;
  }
  /// Of the gradients of the tail behind the call that of the frame at s, or null where s is not in it.
  const S* in_tail_behind(const SequenceView<const S>& x, const SequenceView<const S>& d_behind, Index s,
                          Index b) const {
    const Index back = x.time() - s;
    return back <= span_ && back <= seen_after(x, b) ? d_behind.column(span_ - back, b) : nullptr;
  }

  /// The tail behind the last step: what a frame that comes next would see, and 0 for what a start hides from it.
  void keep_last(const SequenceView<const S>& x, const SequenceView<const S>& before, Matrix<S>& tail) const {
    const SequenceView<S> frames = frames_of(tail);
    for (Index b = 0; b < x.batch(); ++b) {
      const Index seen = seen_after(x, b);
      for (Index i = 1; i <= span_; ++i) {
        S* to = frames.column(span_ - i, b);
        if (i > seen)
          std::fill_n(to, features_, S(0));
        else
          std::copy_n(frame(x, before, x.time() - i, b).data, features_, to);
      }
    }
  }
  /// Calls body(s, dx_s, b) for each frame of the tail before the call, whose gradient becomes dL/d(it).
  template <class Body>
  void for_each_before(Matrix<S>& dtail, Body&& body) const {
    const SequenceView<S> frames = frames_of(dtail);
    for (Index b = 0; b < dtail.cols(); ++b)
      for (Index i = 1; i <= span_; ++i) body(-i, frames.row(span_ - i, b), b);
  }

 private:
  /// How many earlier frames the output at t sees: fewer than (K - 1) D after a start.
  MINRNN_INLINE Index reach(const SequenceView<const S>& x, Index t, Index b) const {
    return x.starts().frames_before(t, b, span_);
  }
  /// How many earlier frames a frame after the last would see.
  Index seen_after(const SequenceView<const S>& x, Index b) const {
    return x.time() == 0 ? span_ : std::min<Index>(span_, reach(x, x.time() - 1, b) + 1);
  }

  Index features_, kernel_, dilation_;  // F, K, D
  Index span_;                          // (K-1) D: how many earlier frames are seen
};

}  // namespace detail
}  // namespace minrnn
