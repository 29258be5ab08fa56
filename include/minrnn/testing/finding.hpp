// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/testing/layer_run.hpp"

namespace minrnn {

/// A promise that a layer does not keep: which, where it shows ("forward and infer: y(3, 0)"), by how much two values
/// differ that should be one, and how much rounding may be. The difference is NaN where a value is, or where it is no
/// matter of size.
struct Finding {
  std::string promise, where;
  double difference = 0, allowed = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Finding& finding) {
  out << finding.promise << ": " << finding.where;
  if (!detail::is_nan(finding.difference))
    out << ": differs by " << finding.difference << ", allowed " << finding.allowed;
  return out;
}

inline std::string to_string(const Finding& finding) {
  std::ostringstream out;
  out << finding;
  return out.str();
}

namespace detail::promises {

/// How far results may differ, relative to the largest element of each matrix; 0: the same bits. The gradients of
/// parameters are sums over all frames, which may be taken in another order where all else has the same bits.
struct Tolerance {
  double results = 0, sums = results;
};

/// The element that exceeds what is allowed by most; NaN exceeds everything, and the first one stays.
class WorstElement {
 public:
  template <class Where>
  void note(double difference, double allowed, Where&& where) {
    if (!detail::is_nan(difference) && difference <= allowed) return;
    const double excess = difference / std::max<double>(allowed, 1e-300);
    if (detail::is_nan(excess_) || (!detail::is_nan(excess) && excess <= excess_)) return;
    excess_ = excess;
    worst_ = {{}, where(), difference, allowed};
  }
  bool found() const { return detail::is_nan(excess_) || excess_ > 0; }
  const Finding& worst() const { return worst_; }

 private:
  double excess_ = 0;
  Finding worst_;
};

/// Collects findings: at most one for each comparison, its worst element.
class Findings {
 public:
  void begin(std::string promise) {
    promise_ = std::move(promise);
    before_ = found_.size();
  }
  const std::string& promise() const { return promise_; }
  /// Whether the present promise is broken.
  bool has_any() const { return found_.size() > before_; }
  void add(Finding finding) {
    finding.promise = promise_;
    found_.push_back(std::move(finding));
  }
  void add(const WorstElement& element) {
    if (element.found()) add(element.worst());
  }
  void add(std::string where) { add(Finding{{}, std::move(where), std::nan(""), 0}); }

  /// Two runs that should give the same.
  template <class S>
  void compare(const std::string& what, const LayerResults<S>& found, const LayerResults<S>& wanted,
               Tolerance tolerance = {}) {
    WorstElement worst;
    for (const auto& [name, m] : wanted) {
      const auto other = found.find(name);
      if (other == found.end() || other->second.rows() != m.rows() || other->second.cols() != m.cols()) {
        add(what + ": " + name + " is not of the shape " + shape_text(m.rows(), m.cols()));
        continue;
      }
      const double relative = name.starts_with("gradient ") ? tolerance.sums : tolerance.results;
      const double allowed = relative == 0 ? 0 : relative * largest(m);
      for (Index j = 0; j < m.cols(); ++j)
        for (Index i = 0; i < m.rows(); ++i)
          worst.note(distance(other->second(i, j), m(i, j)), allowed,
                     [&, &name = name] { return what + ": " + name + shape_text(i, j); });
    }
    add(worst);
  }

  const std::vector<Finding>& all() const { return found_; }

 private:
  /// 0 also of equal infinities, as the first state of a maximum.
  template <class S>
  static double distance(S a, S b) {
    return a == b ? 0 : std::fabs(static_cast<double>(a) - static_cast<double>(b));
  }
  template <class S>
  static double largest(const Matrix<S>& m) {
    double magnitude = 0;
    for (Index i = 0; i < m.size(); ++i) magnitude = std::fmax(magnitude, std::fabs(static_cast<double>(m.data()[i])));
    return magnitude;
  }

  std::string promise_;
  std::vector<Finding> found_;
  std::size_t before_ = 0;
};

}  // namespace detail::promises
}  // namespace minrnn
