// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "minrnn/distributed/check_alike.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "model.hpp"
#include "ranks.hpp"
#include "support/console.hpp"
#include "support/files.hpp"
#include "support/signals.hpp"
#include "support/training_run.hpp"
#include "support/training_time.hpp"
#include "training.hpp"

namespace char_lm {
namespace {

template <class Model>
class Run final : public TrainingRun {
 public:
  Run(const TrainSettings& settings, Training<Model>& training, Ranks& ranks)
      : TrainingRun(training.progress,
                    {settings.learning_rate, settings.minutes, settings.steps, 2000, training.progress},
                    {ranks.first() ? settings.log : "", "step,train_loss,validation_loss,seconds,characters_per_second",
                     settings.resume ? training.progress.step : -1},
                    {settings.evaluate_every, settings.save_every}, !settings.checkpoint.empty()),
        settings_(settings),
        training_(training),
        ranks_(ranks) {}

  /// Of the best weights where there is a checkpoint. It may take a twentieth of --minutes more, as it cannot be known
  /// before how long it takes.
  int final_evaluation() {
    agree();
    const double ends = std::max(time_.limit(), seconds_ + std::max(1.0, time_.limit() / 20)), begins = time_.seconds();
    const auto [loss, count, of] = training_.final_loss([&](Index done, Index all) {
      meter_.update([&] {
        const double part = static_cast<double>(done) / static_cast<double>(all);
        char text[100];
        std::snprintf(
            text, sizeof text, "validating the %s weights: %.1f %%  left %s", weights(), 100 * part,
            duration_text(std::min((time_.seconds() - begins) * (1 / part - 1), ends - time_.seconds())).c_str());
        return std::string(text);
      });
      agree();
      return !interrupted_ && seconds_ < ends;
    });
    meter_.clear();
    char part[60] = "whole";
    if (count < of)
      std::snprintf(part, sizeof part, "first %.3g %% of the",
                    100 * static_cast<double>(count) / static_cast<double>(of));
    const bool kept = !settings_.checkpoint.empty();
    say("%s weights, of step %lld: %.4f nats/char %.4f bits/byte over the %s validation part\n", weights(),
        static_cast<long long>(kept ? at_.best_step : at_.step), loss, loss / std::numbers::ln2, part);
    return interrupted_ ? 130 : 0;
  }

 private:
  /// Agrees with the other ranks on what the clock shows, which is that of the first, and on whether one of them has
  /// been asked to end.
  void agree() {
    struct Moment {
      double seconds;
      std::int64_t interrupted;
    };
    std::vector<Moment> moments(static_cast<std::size_t>(ranks_.size()));
    moments[static_cast<std::size_t>(ranks_.rank())] = {time_.seconds(), interrupted};
    minrnn::detail::all_gather(ranks_.communicator(), moments.data(), 1);
    seconds_ = moments[0].seconds;
    for (const Moment& moment : moments) interrupted_ |= moment.interrupted != 0;
  }
  bool goes_on() override {
    agree();
    return TrainingRun::goes_on();
  }
  double seconds() const override { return seconds_; }
  bool is_interrupted() const override { return interrupted_; }
  void step(double learning_rate) override { training_.step(static_cast<float>(learning_rate)); }
  void save_state() override { training_.save(); }

  const char* weights() const { return settings_.checkpoint.empty() ? "last" : "best"; }

  double characters_per_second() const {
    return time_.steps_per_second() * static_cast<double>(settings_.batch * settings_.context);
  }
  std::string progress_text() const override {
    char text[160];
    std::snprintf(text, sizeof text, "step %lld  train %.4f  %.0f characters/s  left %s",
                  static_cast<long long>(at_.step), at_.mean_loss(), characters_per_second(), time_.left().c_str());
    return text;
  }

  bool report() override {
    const double rate = characters_per_second();
    const auto evaluation = training_.evaluate();
    log_.add("%lld,%.17g,%.17g,%.3f,%.0f", static_cast<long long>(at_.step), evaluation.train_loss,
             evaluation.validation_loss, time_.seconds(), rate);
    meter_.clear();
    say("step %lld  train %.4f  validation %.4f  %.0f characters/s  left %s%s\n", static_cast<long long>(at_.step),
        evaluation.train_loss, evaluation.validation_loss, rate, time_.left().c_str(), evaluation.best ? "  best" : "");
    time_.begin_line();
    return evaluation.best;
  }

  const TrainSettings& settings_;
  Training<Model>& training_;
  Ranks& ranks_;
  double seconds_ = 0;  // what the ranks have agreed on last
  bool interrupted_ = false;
};

/// Throws InputError, on all ranks, where the batch cannot be divided into shards, or these among the ranks.
void check_shards(const TrainSettings& s, Ranks& ranks) {
  const auto check_that = [&](bool ok, const std::string& wanted, Index given) {
    if (ok) return;
    ranks.end_together();
    throw InputError(wanted + ", given " + std::to_string(given));
  };
  const auto is_power_of_two = [](Index n) { return (n & (n - 1)) == 0; };
  if (s.shards == 0) return;
  check_that(is_power_of_two(s.shards), "--shards: wanted a power of two", s.shards);
  const std::string shards = "the " + std::to_string(s.shards) + " --shards";
  check_that(s.batch % s.shards == 0, "--batch: wanted a multiple of " + shards, s.batch);
  check_that(is_power_of_two(ranks.size()) && ranks.size() <= s.shards,
             "mpirun: wanted a number of ranks that is a power of two, up to " + shards, ranks.size());
}

/// What must be the same on all ranks, apart from what `Training` knows of itself.
std::vector<minrnn::SharedSetting> shared_settings(const TrainSettings& s) {
  return {{"--steps", std::to_string(s.steps)},
          {"--minutes", number_text(s.minutes)},
          {"--save-every", std::to_string(s.save_every)},
          {"--resume", s.resume ? "yes" : "no"},
          {"--checkpoint", s.checkpoint.empty() ? "none" : "one"}};
}

/// Throws InputError for what would fail later, or destroy something.
void check(const TrainSettings& s, const Text& text) {
  text.check_length(s.context);
  std::vector<NamedFile> read;
  if (!s.data.empty() && s.data != "-") read.push_back({"--data", s.data});
  check_files({s.checkpoint, s.log, s.resume, s.overwrite}, read);
}

}  // namespace

int train(const TrainSettings& settings, minrnn::Executor& executor, Ranks& ranks) {
  check_shards(settings, ranks);
  std::optional<Text> text;
  ranks.all_or_none([&] {
    text = settings.data.empty() ? Text::built_in() : Text::from_file(settings.data);
    if (ranks.first()) check(settings, *text);
  });
  ModelSettings model_settings = settings.model;
  model_settings.complete(text->vocabulary().bytes(), settings.context);
  const minrnn::Random random(settings.seed);
  return with_model(model_settings, random.stream(0), [&](auto& model) {
    Training training(settings, model_settings, *text, model, random, executor, ranks);
    training.join(shared_settings(settings));
    if (settings.resume) training.resume();
    Run run(settings, training, ranks);
    if (settings.checkpoint.empty() && ranks.first())
      std::fprintf(stderr, "char_lm: warning: without --checkpoint the weights are lost at the end\n");
    say("%s, %lld blocks of %lld features, %lld parameters; %lld threads\n", model_settings.mixer.c_str(),
        static_cast<long long>(model_settings.layers), static_cast<long long>(model_settings.dim),
        static_cast<long long>(parameter_count(model)), static_cast<long long>(executor.workers()));
    if (settings.shards > 0)
      say("%lld shards of %lld sequences on %lld ranks of so many threads\n", static_cast<long long>(settings.shards),
          static_cast<long long>(settings.batch / settings.shards), static_cast<long long>(ranks.size()));
    say("%lld characters of %lld kinds to train on; %lld to validate, %lld of them while it trains\n",
        static_cast<long long>(text->training_size()), static_cast<long long>(text->vocabulary().size()),
        static_cast<long long>(text->validation_size()), static_cast<long long>(training.evaluated_characters()));
    if (settings.resume) say("resumed at step %lld\n", static_cast<long long>(training.progress.step));
    return run() ? run.final_evaluation() : 130;
  });
}

}  // namespace char_lm
