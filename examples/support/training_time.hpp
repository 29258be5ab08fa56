// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "minrnn/core/parameter.hpp"
#include "minrnn/optim/schedule.hpp"
#include "support/console.hpp"
#include "support/log.hpp"

namespace tool {

/// Where a training stands, apart from model and optimizer; a program adds what it must know beside.
struct TrainingProgress {
  std::int64_t step = 0, best_step = 0;
  double best_loss = std::numeric_limits<double>::infinity();
  double loss_sum = 0;  // since the last evaluation, over so many losses
  std::int64_t loss_count = 0;
  double seconds = 0;

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    visitor(scope / "step", self.step);
    visitor(scope / "best_step", self.best_step);
    visitor(scope / "best_loss", self.best_loss);
    visitor(scope / "loss_sum", self.loss_sum);
    visitor(scope / "loss_count", self.loss_count);
    visitor(scope / "seconds", self.seconds);
  }

  double mean_loss() const { return loss_sum / static_cast<double>(loss_count); }
};

/// How long a training lasts, and how fast it learns: by steps, and by the clock where there is a limit of minutes.
class TrainingTime {
 public:
  /// 0 minutes: no limit; 0 steps: as many as the minutes allow, or `steps_without_limit`.
  TrainingTime(double learning_rate, double minutes, std::int64_t steps, std::int64_t steps_without_limit,
               const TrainingProgress& at)
      : rate_(learning_rate),
        limit_(minutes > 0 ? minutes * 60 : std::numeric_limits<double>::infinity()),
        steps_(steps > 0     ? steps
               : minutes > 0 ? std::numeric_limits<std::int64_t>::max()
                             : steps_without_limit),
        at_(at),
        clock_(at.seconds),
        line_seconds_(clock_.seconds()),
        line_step_(at.step) {}

  double limit() const { return limit_; }  // seconds
  std::int64_t steps() const { return steps_; }
  double seconds() const { return clock_.seconds(); }

  /// Falls with the steps or with the clock, which shows `seconds`, whichever is further.
  double learning_rate(double seconds) const {
    const minrnn::CosineSchedule schedule{
        .rate = rate_, .final_rate = rate_ / 10, .warm_up = std::min<std::int64_t>(100, steps_ / 10), .steps = steps_};
    const double by_steps = schedule(at_.step);
    return limit_ < std::numeric_limits<double>::infinity() ? std::min(by_steps, schedule.at(seconds / limit_))
                                                            : by_steps;
  }

  /// A line of progress has been printed: from here on the speed is measured.
  void begin_line() {
    line_seconds_ = clock_.seconds();
    line_step_ = at_.step;
  }
  /// Since the last line.
  double steps_per_second() const {
    return static_cast<double>(at_.step - line_step_) / std::max(clock_.seconds() - line_seconds_, 1e-9);
  }
  /// Until the end of the training, by the speed since the last line.
  std::string left() const {
    const double seconds = (clock_.seconds() - line_seconds_) / static_cast<double>(at_.step - line_step_);
    return duration_text(std::min(seconds * static_cast<double>(steps_ - at_.step), limit_ - clock_.seconds()));
  }

 private:
  double rate_, limit_;
  std::int64_t steps_;
  const TrainingProgress& at_;
  Clock clock_;
  double line_seconds_;  // when the last line was printed
  std::int64_t line_step_;
};

}  // namespace tool
