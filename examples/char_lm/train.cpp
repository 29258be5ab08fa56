// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <numbers>

#include "commands.hpp"
#include "log.hpp"
#include "minrnn/optim/schedule.hpp"
#include "model.hpp"
#include "training.hpp"

namespace char_lm {
namespace {

volatile std::sig_atomic_t interrupted = 0;

/// A second Ctrl-C ends the program at once.
void interrupt(int signal_number) {
  interrupted = 1;
  std::signal(signal_number, SIG_DFL);
}

/// Seconds of training, those before it was resumed included.
class Clock {
 public:
  explicit Clock(double before) : before_(before), start_(std::chrono::steady_clock::now()) {}
  double seconds() const {
    return before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double before_;
  std::chrono::steady_clock::time_point start_;
};

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::clamp(seconds, 0.0, 1e9));
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

template <class Model>
class Run {
 public:
  Run(const TrainSettings& settings, Training<Model>& training)
      : settings_(settings),
        training_(training),
        at_(training.progress),
        limit_(settings.minutes > 0 ? settings.minutes * 60 : std::numeric_limits<double>::infinity()),
        steps_(settings.steps > 0     ? settings.steps
               : settings.minutes > 0 ? std::numeric_limits<std::int64_t>::max()
                                      : 2000),
        log_(settings.log, settings.resume ? training.progress.step : -1),
        clock_(training.progress.seconds),
        line_seconds_(clock_.seconds()),
        line_step_(at_.step) {}

  int operator()() {
    save();  // from here on, whatever ends the training, it can be resumed
    std::signal(SIGINT, interrupt);
    std::signal(SIGTERM, interrupt);
    while (at_.step < steps_ && (clock_.seconds() < limit_ || at_.step == 0) && !interrupted) {
      training_.step(learning_rate());
      const bool best = (at_.step % settings_.evaluate_every == 0 || at_.step == steps_) && report();
      if (best || at_.step % settings_.save_every == 0) save();
    }
    if (interrupted) {
      save();
      std::printf("interrupted at step %lld%s\n", static_cast<long long>(at_.step),
                  settings_.checkpoint.empty() ? "" : ", saved: go on with --resume");
      return 130;
    }
    if (at_.loss_count > 0) report();
    save();
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    const bool kept = !settings_.checkpoint.empty();
    const double loss = training_.final_loss();
    std::printf("%s weights, of step %lld: %.4f nats/char %.4f bits/char over the whole validation part\n",
                kept ? "best" : "last", static_cast<long long>(kept ? at_.best_step : at_.step), loss,
                loss / std::numbers::ln2);
    return 0;
  }

 private:
  /// Falls with the steps or with the clock, whichever is further.
  float learning_rate() const {
    const minrnn::CosineSchedule schedule{.rate = settings_.learning_rate,
                                          .final_rate = settings_.learning_rate / 10,
                                          .warm_up = std::min<std::int64_t>(100, steps_ / 10),
                                          .steps = steps_};
    const double by_steps = schedule(at_.step);
    if (settings_.minutes == 0) return static_cast<float>(by_steps);
    return static_cast<float>(std::min(by_steps, schedule.at(clock_.seconds() / limit_)));
  }

  /// A line of progress and a row of the log. True where the weights are the best so far.
  bool report() {
    const double seconds = clock_.seconds(), spent = seconds - line_seconds_;
    const auto steps = static_cast<double>(at_.step - line_step_);
    const double rate = steps * static_cast<double>(settings_.batch * settings_.context) / std::max(spent, 1e-9);
    const auto evaluation = training_.evaluate();
    log_.add({at_.step, evaluation.train_loss, evaluation.validation_loss, clock_.seconds(), rate});
    const double left = std::min((clock_.seconds() - line_seconds_) / steps * static_cast<double>(steps_ - at_.step),
                                 limit_ - clock_.seconds());
    std::printf("step %lld  train %.4f  validation %.4f  %.0f characters/s  left %s%s\n",
                static_cast<long long>(at_.step), evaluation.train_loss, evaluation.validation_loss, rate,
                duration_text(left).c_str(), evaluation.best ? "  best" : "");
    std::fflush(stdout);
    line_seconds_ = clock_.seconds();
    line_step_ = at_.step;
    return evaluation.best;
  }

  void save() {
    at_.seconds = clock_.seconds();
    training_.save();
  }

  const TrainSettings& settings_;
  Training<Model>& training_;
  Progress& at_;
  double limit_;  // seconds
  std::int64_t steps_;
  Log log_;
  Clock clock_;
  double line_seconds_;  // when the last line was printed
  std::int64_t line_step_;
};

/// Throws InputError for what would fail later, or destroy something.
void check(const TrainSettings& s, const Text& text) {
  if (text.validation_size() < s.context + 2 || text.training_size() < s.context + 2)
    throw InputError(text.name() + ": is too short: its last tenth, which validates, has " +
                     std::to_string(text.validation_size()) + " characters, and --context " +
                     std::to_string(s.context) + " wants at least " + std::to_string(s.context + 2));
  const auto same_file = [](const std::string& a, const std::string& b) {
    const auto full = [](const std::string& path) { return std::filesystem::weakly_canonical(path); };
    return !a.empty() && !b.empty() && full(a) == full(b);
  };
  for (const std::string& file : {s.checkpoint, s.log})
    if (const auto folder = std::filesystem::path(file).parent_path();
        !folder.empty() && !std::filesystem::is_directory(folder))
      throw InputError(file + ": there is no folder " + folder.string());
  if (same_file(s.log, s.data)) throw InputError("--log: is the file of --data");
  if (s.checkpoint.empty()) {
    if (s.resume) throw InputError("--resume: wanted --checkpoint FILE.safetensors");
  } else {
    const std::string state = resume_path(s.checkpoint);
    if (std::filesystem::path(s.checkpoint).extension() != ".safetensors")
      throw InputError("--checkpoint: wanted a name that ends in .safetensors, given " + s.checkpoint);
    if (same_file(s.checkpoint, s.data)) throw InputError("--checkpoint: is the file of --data");
    if (same_file(s.log, s.checkpoint) || same_file(s.log, state))
      throw InputError("--log: is the file of --checkpoint");
    if (s.resume && !std::filesystem::exists(state))
      throw InputError(state + ": is missing: there is no training to resume");
  }
  if (s.resume || s.overwrite) return;
  for (const std::string& file : {s.checkpoint, s.checkpoint.empty() ? "" : resume_path(s.checkpoint), s.log})
    if (!file.empty() && std::filesystem::exists(file))
      throw InputError(file + ": is there already: --resume goes on from it, --overwrite starts anew");
}

}  // namespace

int train(const TrainSettings& settings) {
  const Text text = settings.data.empty() ? Text::built_in() : Text::from_file(settings.data);
  check(settings, text);
  ModelSettings model_settings = settings.model;
  model_settings.vocabulary = text.vocabulary().bytes();
  if (model_settings.heads == 0) model_settings.heads = std::max<Index>(model_settings.dim / 64, 1);
  if (model_settings.window == 0) model_settings.window = std::min(settings.context, kMostWindow);
  minrnn::Random random(settings.seed);
  return with_model(model_settings, random, [&](auto& model) {
    Training training(settings, model_settings, text, model, random);
    if (settings.resume) training.resume();
    Run run(settings, training);
    std::printf("%s, %lld blocks of %lld features, %lld parameters; %lld threads\n", model_settings.mixer.c_str(),
                static_cast<long long>(model_settings.layers), static_cast<long long>(model_settings.dim),
                static_cast<long long>(parameter_count(model)), static_cast<long long>(minrnn::worker_count()));
    std::printf("%lld characters of %lld kinds to train on; %lld to validate, %lld of them while it trains\n",
                static_cast<long long>(text.training_size()), static_cast<long long>(text.vocabulary().size()),
                static_cast<long long>(text.validation_size()),
                static_cast<long long>(training.evaluated_characters()));
    if (settings.resume) std::printf("resumed at step %lld\n", static_cast<long long>(training.progress.step));
    std::fflush(stdout);
    return run();
  });
}

}  // namespace char_lm
