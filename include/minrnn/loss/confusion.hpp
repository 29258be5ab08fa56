// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/kernels/place_of_largest.hpp"

namespace minrnn {

/// How well a classifier answers: which class it gave for which target, counted over any number of batches.
///
/// Equations   the class given is the first of the largest logits
///             accuracy = right / all;  of class k: precision = right / given as k, recall = right / all of k
/// Shapes      logits (K, T, B), targets (1, T, B) of std::int32_t or std::int64_t, a negative one is ignored
/// Range       a ratio of nothing is 0. An answer with a NaN among its logits is no class: it is counted, and wrong
/// Throws      std::invalid_argument for a size below 1, a wrong shape, a target of K or more; nothing was counted then
class Confusion {
 public:
  explicit Confusion(Index classes) {
    detail::check_size("Confusion", "classes", classes);
    counts_.setZero(classes, classes);
    missed_.setZero(classes, 1);
  }

  template <SequenceLike Logits>
  void add(const Logits& logits, SequenceView<const std::int32_t> targets) {
    add_targets<typename Logits::Scalar>(logits, targets);
  }
  template <SequenceLike Logits>
  void add(const Logits& logits, SequenceView<const std::int64_t> targets) {
    add_targets<typename Logits::Scalar>(logits, targets);
  }
  void clear() {
    counts_.setZero();
    missed_.setZero();
  }

  Index classes() const { return counts_.rows(); }
  /// (K, K): how many of the target of the row were given the class of the column.
  const Matrix<std::int64_t>& counts() const { return counts_; }
  /// All that was counted.
  std::int64_t count() const { return counts_.sum() + missed_.sum(); }

  double accuracy() const { return ratio(counts_.trace(), count()); }
  /// Throws std::invalid_argument where there is no class k.
  double precision(Index k) const {
    detail::check_index("Confusion", "k", k, classes());
    return ratio(counts_(k, k), counts_.col(k).sum());
  }
  /// Throws std::invalid_argument where there is no class k.
  double recall(Index k) const {
    detail::check_index("Confusion", "k", k, classes());
    return ratio(counts_(k, k), counts_.row(k).sum() + missed_(k, 0));
  }

 private:
  template <class S, class Target>
  void add_targets(SequenceView<const S> logits, SequenceView<const Target> targets) {
    detail::check_sequence("Confusion", "logits", logits, classes());
    detail::check_sequence("Confusion", "targets", targets, 1, logits.time(), logits.batch());
    const auto for_targets = [&](const auto& body) {
      for (Index b = 0; b < targets.batch(); ++b)
        for (Index t = 0; t < targets.time(); ++t) body(*targets.column(t, b), logits.column(t, b));
    };
    for_targets([&](Target target, const S*) {
      detail::check_that(target < classes(), "Confusion", "targets", {"classes below ", classes()}, target);
    });
    for_targets([&](Target target, const S* of_frame) {
      if (target < 0) return;
      const Index k = static_cast<Index>(target);
      if (std::any_of(of_frame, of_frame + classes(), [](S logit) { return detail::is_nan(logit); }))
        ++missed_(k, 0);
      else
        ++counts_(k, detail::place_of_largest(of_frame, classes()));
    });
  }

  static double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }

  Matrix<std::int64_t> counts_;  // (K, K)
  Matrix<std::int64_t> missed_;  // (K, 1): what was given no class
};

}  // namespace minrnn
