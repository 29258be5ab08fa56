// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "commands.hpp"
#include "dataset.hpp"
#include "network.hpp"
#include "support/console.hpp"
#include "support/files.hpp"
#include "support/training_run.hpp"
#include "support/training_time.hpp"
#include "training.hpp"

namespace sequence_tool {
namespace {

constexpr Index kGenerated = 5000;  // sequences of the generated task

class Run final : public TrainingRun {
 public:
  Run(const TrainSettings& settings, Task task, Training& training)
      : TrainingRun(training.progress,
                    {settings.learning_rate, settings.minutes,
                     settings.epochs > 0 ? settings.epochs * training.steps_of_epoch() : settings.steps, 1000,
                     training.progress},
                    {settings.files.log,
                     std::string("step,seconds,train_loss,validation_loss,") +
                         (task == Task::classification ? "accuracy" : "error"),
                     settings.files.resume ? training.progress.step : -1},
                    {training.evaluate_every(), training.save_every()}, !settings.files.checkpoint.empty()),
        settings_(settings),
        task_(task),
        training_(training) {}

  /// What is said once it has come to its end.
  void say_result() {
    if (is_patient_no_more())
      say("no better for %lld evaluations: stopped\n", static_cast<long long>(training_.progress.worse_evaluations));
    const std::string text = training_.final_report([&](Index done) {
      meter_.update([&] { return "validating the best weights: " + std::to_string(done) + " sequences"; });
    });
    meter_.clear();
    say("%s", text.c_str());
  }

 private:
  bool is_patient_no_more() const {
    return settings_.patience > 0 && training_.progress.worse_evaluations >= settings_.patience;
  }
  bool goes_on() override { return TrainingRun::goes_on() && !is_patient_no_more(); }
  void step(double learning_rate) override { training_.step(learning_rate); }
  void save_state() override { training_.save(); }

  double sequences_per_second() const { return time_.steps_per_second() * static_cast<double>(settings_.batch); }
  std::string progress_text() const override {
    char text[160];
    std::snprintf(text, sizeof text, "step %lld  train %.4f  %.0f sequences/s  left %s",
                  static_cast<long long>(at_.step), at_.mean_loss(), sequences_per_second(), time_.left().c_str());
    return text;
  }

  bool report() override {
    const double rate = sequences_per_second();
    const auto evaluation = training_.evaluate();
    const auto [loss, measure] = evaluation.validation;
    log_.add("%lld,%.3f,%.17g,%.17g,%.17g", static_cast<long long>(at_.step), time_.seconds(), evaluation.train_loss,
             loss, measure);
    meter_.clear();
    say("step %lld  train %.4f  validation %.4f  %s  %.0f sequences/s  left %s%s\n", static_cast<long long>(at_.step),
        evaluation.train_loss, loss, measure_text(task_, measure).c_str(), rate, time_.left().c_str(),
        evaluation.best ? "  best" : "");
    time_.begin_line();
    return evaluation.best;
  }

  const TrainSettings& settings_;
  Task task_;
  Training& training_;
};

/// The data, and what they decide of the model.
Dataset take_data(const TrainSettings& s, ModelSettings& model) {
  if (!s.data.images.empty() && s.data.labels.empty()) throw InputError("--labels: wanted the name of a file");
  if (s.data.images.empty() && !s.data.labels.empty()) throw InputError("--images: wanted the name of a file");
  const bool is_table = s.data.images.empty(), reads_rows = s.read == "rows";
  Dataset data = !is_table ? read_idx(s.data.images, s.data.labels, reads_rows ? Reading::rows : Reading::pixels)
                 : s.data.data.empty() ? generate(model.task, kGenerated, s.seed)
                                       : read_csv(s.data.data, model.columns, Targets::wanted);
  model.source = is_table ? Source::table : reads_rows ? Source::rows : Source::pixels;
  model.image_rows = data.image_rows;
  model.image_columns = data.image_columns;
  if (is_table) model.columns.features = data.features;
  Index longest = 0;
  for (Index i = 0; i < data.size(); ++i) longest = std::max(longest, data.length(i));
  if (model.heads == 0) model.heads = std::max<Index>(model.dim / 64, 1);
  if (model.window == 0) model.window = std::min(longest, kMostWindow);
  if (model.task == Task::regression) return data;
  model.classes = classes_of(data);
  if (model.classes.size() < 2)
    throw InputError(shown(data.name) + ": all sequences are of class " + minrnn::printable(model.classes[0]) +
                     ": wanted two classes at least");
  if (model.classes.size() > 20 && static_cast<Index>(model.classes.size()) > data.size() / 2)
    throw InputError(shown(data.name) + ": has " + std::to_string(model.classes.size()) + " classes in " +
                     std::to_string(data.size()) + " sequences: are they numbers, for --task regression?");
  return data;
}

}  // namespace

int train(const TrainSettings& settings, minrnn::Executor& executor) {
  if (settings.model.memory > 0 && !settings.model.is_diagonal())
    throw InputError("--memory: wanted with --mixer diagonal-gru or diagonal-lstm, given " + settings.model.mixer);
  if (settings.model.bidirectional && settings.model.pool == "last")
    throw InputError("--bidirectional: wanted --pool mean or max: what looks back has seen one frame at the last one");
  check_files(settings.files, settings.data.named());
  ModelSettings model = settings.model;
  const minrnn::Random random(settings.seed);
  const Problem problem = [&] {
    const Dataset data = take_data(settings, model);
    return Problem(data, model, settings.validation, random);
  }();
  const auto network = make_network(model, random.stream(0));
  Training training(settings, model, problem, *network, random, executor);
  if (settings.files.resume) training.resume();
  Run run(settings, model.task, training);
  if (settings.files.checkpoint.empty())
    std::fprintf(stderr, "%s: warning: without --checkpoint the weights are lost at the end\n", program_name);
  say("%s of %s: %lld sequences to train on, %lld to validate\n", name_of(model.task), shown(problem.name).c_str(),
      static_cast<long long>(problem.split.training.size()), static_cast<long long>(problem.split.validation.size()));
  say("%s, %lld blocks of %lld features, %lld parameters; %lld threads; %lld steps to an epoch\n", model.mixer.c_str(),
      static_cast<long long>(model.layers), static_cast<long long>(model.dim),
      static_cast<long long>(network->parameters()), static_cast<long long>(executor.workers()),
      static_cast<long long>(training.steps_of_epoch()));
  if (settings.files.resume) say("resumed at step %lld\n", static_cast<long long>(training.progress.step));
  if (!run()) return 130;
  run.say_result();
  return 0;
}

}  // namespace sequence_tool
