// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "support/console.hpp"
#include "support/log.hpp"
#include "support/training_time.hpp"

namespace tool {

/// The course of a training: steps, validations, lines of progress and saves, until it has come to its end or a signal
/// asks it to end. A program says what a step, a line and what is saved are.
class TrainingRun {
 public:
  virtual ~TrainingRun() = default;
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  /// Whether it has come to its end, and was not asked to end before.
  bool operator()();

 protected:
  /// Steps between two validations, and two saves.
  struct Intervals {
    std::int64_t evaluate, save;
  };
  /// `keeps`: whether there is a checkpoint to go on from.
  TrainingRun(TrainingProgress& at, TrainingTime time, Log log, Intervals every, bool keeps);

  virtual void step(double learning_rate) = 0;
  /// A line of progress and a row of the log. True where the weights are the best so far.
  virtual bool report() = 0;
  /// Between two lines of `report`.
  virtual std::string progress_text() const = 0;
  virtual void save_state() = 0;

  /// Asked before each step, for which the learning rate is that of `seconds`.
  virtual bool goes_on();
  virtual double seconds() const { return time_.seconds(); }
  virtual bool is_interrupted() const;

  TrainingProgress& at_;
  TrainingTime time_;
  Log log_;
  Meter meter_{stdout};

 private:
  void begin();
  void save();

  Intervals every_;
  bool keeps_, begun_ = false;
};

}  // namespace tool
