// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/training_run.hpp"

#include <utility>

#include "support/errors.hpp"
#include "support/signals.hpp"

namespace tool {

TrainingRun::TrainingRun(TrainingProgress& at, TrainingTime time, Log log, Intervals every, bool keeps)
    : at_(at), time_(std::move(time)), log_(std::move(log)), every_(every), keeps_(keeps) {}

bool TrainingRun::operator()() {
  take_signals();
  try {
    while (at_.step < time_.steps() && goes_on()) {
      step(time_.learning_rate(seconds()));
      begin();
      const bool best = (at_.step % every_.evaluate == 0 || at_.step == time_.steps()) && report();
      if (best || at_.step % every_.save == 0) save();
      if (at_.loss_count > 0) meter_.update([&] { return progress_text(); });
    }
    if (!is_interrupted() && at_.loss_count > 0) report();
  } catch (const OutputError&) {
    if (begun_) save();
    throw;
  }
  if (begun_) save();
  meter_.clear();
  if (!is_interrupted()) return true;
  say("interrupted at step %lld%s\n", static_cast<long long>(at_.step),
      keeps_ && begun_ ? ", saved: go on with --resume" : "");
  return false;
}

bool TrainingRun::goes_on() { return (seconds() < time_.limit() || at_.step == 0) && !is_interrupted(); }
bool TrainingRun::is_interrupted() const { return interrupted != 0; }

/// What replaces older files happens once a first step has shown that memory and all else suffice. From here on,
/// whatever ends the training, it can be resumed.
void TrainingRun::begin() {
  if (begun_) return;
  save();
  log_.begin();
  begun_ = true;
}

void TrainingRun::save() {
  at_.seconds = time_.seconds();
  save_state();
}

}  // namespace tool
