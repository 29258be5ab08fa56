// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "material.hpp"
#include "minrnn/core/random.hpp"
#include "network.hpp"
#include "speed.hpp"
#include "support/console.hpp"
#include "support/files.hpp"
#include "support/training_run.hpp"
#include "support/training_time.hpp"
#include "training.hpp"

namespace amp {
namespace {

class Run final : public TrainingRun {
 public:
  Run(const TrainSettings& settings, Training& training)
      : TrainingRun(training.progress, {settings.learning_rate, settings.minutes, settings.steps, 0, training.progress},
                    {settings.files.log, "step,seconds,train_loss,validation_esr",
                     settings.files.resume ? training.progress.step : -1},
                    {settings.evaluate_every, settings.evaluate_every}, !settings.files.checkpoint.empty()),
        settings_(settings),
        training_(training) {}

 private:
  void step(double learning_rate) override { training_.step(learning_rate); }
  void save_state() override { training_.save(); }

  double samples_per_second() const {
    return time_.steps_per_second() * static_cast<double>(training_.stretches().batch() * settings_.segment);
  }
  std::string progress_text() const override {
    char text[160];
    std::snprintf(text, sizeof text, "step %lld  loss %.4f  %.2fM samples/s  left %s", static_cast<long long>(at_.step),
                  at_.mean_loss(), 1e-6 * samples_per_second(), time_.left().c_str());
    return text;
  }

  bool report() override {
    const double rate = samples_per_second();
    const auto [loss, ratio, best] = training_.evaluate();
    log_.add("%lld,%.3f,%.17g,%.17g", static_cast<long long>(at_.step), time_.seconds(), loss, ratio);
    meter_.clear();
    say("step %lld  loss %.4f  validation ESR %.5f  %.2fM samples/s  left %s%s\n", static_cast<long long>(at_.step),
        loss, ratio, 1e-6 * rate, time_.left().c_str(), best ? "  best" : "");
    time_.begin_line();
    return best;
  }

  const TrainSettings& settings_;
  Training& training_;
};

/// The held-out stretch as files: what went in, what the device made of it, and the model.
std::vector<std::pair<std::string, const char*>> files_to_hear(const std::string& begin) {
  return {{begin + ".dry.wav", "went in"}, {begin + ".wet.wav", "the device"}, {begin + ".model.wav", "the model"}};
}

void check(const TrainSettings& s) {
  if (s.input.empty() != s.output.empty())
    throw InputError((s.input.empty() ? std::string("--input") : std::string("--output")) +
                     ": wanted the name of a file: a device is two of them");
  if (!(s.validation + s.test < 0.9)) throw InputError("--validation and --test: wanted a tenth at least to train on");
  std::vector<NamedFile> read;
  if (!s.input.empty()) read = {{"--input", s.input}, {"--output", s.output}};
  check_files(s.files, read);
  if (s.listen.empty()) return;
  if (!s.files.checkpoint.empty()) read.push_back({"--checkpoint", s.files.checkpoint});
  if (!s.files.log.empty()) read.push_back({"--log", s.files.log});
  std::vector<NamedFile> written;
  for (const auto& [path, what] : files_to_hear(s.listen)) written.push_back({"--listen", path});
  check_files(written, read, s.files.resume || s.files.overwrite);
}

void report(const TrainSettings& settings, const Material& material, const Network& network,
            const TrainingProgress& progress) {
  const auto stream = network.stream(material.scales);
  std::vector<float> out;
  const double ratio = play(*stream, material, material.test, out).ratio();
  const Index rate = material.dry.rate;
  say("best weights, of step %lld: ESR %.5f (%.1f dB) over %.1f s held out\n",
      static_cast<long long>(progress.best_step), ratio, 10 * std::log10(ratio),
      static_cast<double>(material.test.count) / static_cast<double>(rate));
  say("%s", speed_text(measure(*stream, material.dry.samples, 1), rate).c_str());
  if (settings.listen.empty()) return;
  const auto cut = [&](const Recording& recording) {
    const auto begin = recording.samples.begin() + material.test.first;
    return Recording{rate, {begin, begin + material.test.count}};
  };
  const Recording recordings[] = {cut(material.dry), cut(material.wet), {rate, out}};
  std::size_t n = 0;
  for (const auto& [path, what] : files_to_hear(settings.listen)) {
    write_wav(path, recordings[n++]);
    say("wrote %s: %s\n", shown(path).c_str(), what);
  }
}

}  // namespace

int train(const TrainSettings& settings, minrnn::Executor& executor) {
  check(settings);
  const Material material(settings);
  ModelSettings model = settings.model;
  model.rate = material.dry.rate;
  model.latency = material.latency;
  const minrnn::Random random(settings.seed);
  const auto network = make_network(model, random.stream(0));
  Training training(settings, model, material, *network, random, executor);
  if (settings.files.resume) training.resume();
  Run run(settings, training);
  if (settings.files.checkpoint.empty())
    std::fprintf(stderr, "%s: warning: without --checkpoint the weights are lost at the end\n", program_name);
  say("%s: %.1f s at %lld Hz to train on, %lld stretches side by side; %.1f s to validate, %.1f s to test\n",
      shown(material.name).c_str(), static_cast<double>(material.training.count) / static_cast<double>(model.rate),
      static_cast<long long>(model.rate), static_cast<long long>(training.stretches().batch()),
      static_cast<double>(material.validation.count) / static_cast<double>(model.rate),
      static_cast<double>(material.test.count) / static_cast<double>(model.rate));
  say("%s, %lld layers of %lld features, %lld parameters; %lld threads\n", model.mixer.c_str(),
      static_cast<long long>(model.layers), static_cast<long long>(model.size),
      static_cast<long long>(network->parameters()), static_cast<long long>(executor.workers()));
  if (settings.files.resume) say("resumed at step %lld\n", static_cast<long long>(training.progress.step));
  if (!run()) return 130;
  training.restore_best();
  report(settings, material, *network, training.progress);
  return 0;
}

}  // namespace amp
