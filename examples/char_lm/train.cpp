// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <bit>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "commands.hpp"
#include "evaluate.hpp"
#include "log.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "minrnn/optim/schedule.hpp"

namespace char_lm {
namespace {

using minrnn::Part;
using minrnn::Parts;

volatile std::sig_atomic_t interrupted = 0;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::max(seconds, 0.0));
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

/// Windows of the training text and what follows each character.
class Batches {
 public:
  Batches(const Text& text, Index batch, Index context)
      : text_(text), tokens_(1, context, batch), targets_(1, context, batch) {}

  void draw(minrnn::Random& random) {
    const Index context = tokens_.time();
    const auto places = text_.training_size - static_cast<std::size_t>(context);
    for (Index b = 0; b < tokens_.batch(); ++b) {
      const std::int32_t* window = text_.tokens.data() + random.below(places);
      std::copy_n(window, context, tokens_.view().column(0, b));
      std::copy_n(window + 1, context, targets_.view().column(0, b));
    }
  }
  minrnn::Tokens tokens() const { return tokens_.view(); }
  minrnn::Tokens targets() const { return targets_.view(); }

 private:
  const Text& text_;
  minrnn::Sequence<std::int32_t> tokens_, targets_;
};

/// What a training is at a step, apart from model and optimizer.
struct Progress {
  std::int64_t step = 0, best_step = 0;
  std::uint64_t random;
  double best_loss = std::numeric_limits<double>::infinity();
  double loss_sum = 0;  // since the last line
  std::int64_t loss_count = 0;
  double seconds = 0;

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    visitor(scope / "step", self.step);
    visitor(scope / "best_step", self.best_step);
    visitor(scope / "random", self.random);
    visitor(scope / "best_loss", self.best_loss);
    visitor(scope / "loss_sum", self.loss_sum);
    visitor(scope / "loss_count", self.loss_count);
    visitor(scope / "seconds", self.seconds);
  }
};

std::string resume_path(const std::string& checkpoint) {
  return std::filesystem::path(checkpoint).replace_extension(".resume.safetensors").string();
}

/// All that must be the same for a training to go on. The steps in all may grow.
Metadata training_metadata(const TrainSettings& s, const ModelSettings& model, const Text& text) {
  Metadata data = model.metadata();
  data["data_hash"] = std::to_string(text.hash);
  data["batch"] = std::to_string(s.batch);
  data["context"] = std::to_string(s.context);
  data["learning_rate"] = std::to_string(s.learning_rate);
  data["weight_decay"] = std::to_string(s.weight_decay);
  data["clip"] = std::to_string(s.clip);
  data["seed"] = std::to_string(s.seed);
  data["evaluate_every"] = std::to_string(s.evaluate_every);
  return data;
}

template <class Model>
class Training {
 public:
  Training(const TrainSettings& settings, const ModelSettings& model_settings, const Text& text, Model& model)
      : settings_(settings),
        model_settings_(model_settings),
        text_(text),
        model_(model),
        adam_(model, {.beta2 = 0.99f, .weight_decay = static_cast<float>(settings.weight_decay)}),
        batches_(text, settings.batch, settings.context),
        metadata_(training_metadata(settings, model_settings, text)) {
    progress_.random = minrnn::Random(settings.seed).state();
    steps_ = settings.steps > 0     ? settings.steps
             : settings.minutes > 0 ? std::numeric_limits<std::int64_t>::max()
                                    : 2000;
    const bool there = !settings.checkpoint.empty() && std::filesystem::exists(resume_path(settings.checkpoint));
    if (settings.resume && there)
      resume();
    else if (settings.resume)
      std::printf("no %s yet: starting anew\n", resume_path(settings.checkpoint).c_str());
  }

  int run() {
    Log log(settings_.log, progress_.step);
    const double limit = settings_.minutes * 60;
    started_ = seconds_now() - progress_.seconds;
    line_started_ = progress_.seconds;
    line_step_ = progress_.step;
    bool evaluated = false;
    while (progress_.step < steps_ && !(limit > 0 && elapsed() >= limit) && !interrupted) {
      if (!step()) return 1;
      evaluated = progress_.step % settings_.evaluate_every == 0 || progress_.step == steps_;
      if (evaluated) report(log);
      if (progress_.step % settings_.save_every == 0) save();
    }
    if (interrupted) {
      save();
      std::printf("interrupted at step %lld%s\n", static_cast<long long>(progress_.step),
                  settings_.checkpoint.empty() ? "" : ", saved: go on with --resume");
      return 130;
    }
    if (!evaluated && progress_.loss_count > 0) report(log);
    save();
    finish();
    return 0;
  }

 private:
  double elapsed() const { return seconds_now() - started_; }

  float learning_rate() const {
    const minrnn::CosineSchedule schedule{.rate = settings_.learning_rate,
                                          .final_rate = settings_.learning_rate / 10,
                                          .warm_up = std::min<std::int64_t>(100, steps_ / 10),
                                          .steps = steps_};
    const double by_step = schedule(progress_.step);
    if (settings_.minutes == 0 || progress_.step < schedule.warm_up) return static_cast<float>(by_step);
    return static_cast<float>(std::min(by_step, schedule.at(elapsed() / (settings_.minutes * 60))));
  }

  /// False where the loss or the gradient is not a finite number: nothing has been changed or saved then.
  bool step() {
    auto random = minrnn::Random::from_state(progress_.random);
    batches_.draw(random);
    auto state = model_.initial_state(settings_.batch), dstate = model_.initial_state(settings_.batch);
    cache_.seek_draw(static_cast<std::uint64_t>(progress_.step));
    const auto logits = model_.forward(batches_.tokens(), state, cache_);
    const double loss = minrnn::softmax_cross_entropy(logits, batches_.targets(), dlogits_).loss;
    zero_gradients(model_);
    model_.backward(dlogits_.view(), dstate, cache_);
    const double norm = clip_gradient_norm(model_, settings_.clip);
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      std::fprintf(stderr, "char_lm: the loss is not a finite number at step %lld: try a lower --learning-rate\n",
                   static_cast<long long>(progress_.step + 1));
      return false;
    }
    adam_.options.learning_rate = learning_rate();
    adam_.step(model_);
    progress_.random = random.state();
    progress_.loss_sum += loss;
    ++progress_.loss_count;
    ++progress_.step;
    return true;
  }

  /// A line of progress, a row of the log, and the weights where they are the best so far.
  void report(Log& log) {
    const double before = elapsed();
    const double characters = static_cast<double>((progress_.step - line_step_) * settings_.batch * settings_.context);
    const double validation =
        stream_loss(model_, text_.validation(), static_cast<Index>(text_.validation_size()), 32, 32768);
    const double train_loss = progress_.loss_sum / static_cast<double>(progress_.loss_count);
    const double rate = characters / std::max(before - line_started_, 1e-9);
    if (validation < progress_.best_loss) {
      progress_.best_loss = validation;
      progress_.best_step = progress_.step;
      save_best();
    }
    progress_.loss_sum = 0;
    progress_.loss_count = 0;
    progress_.seconds = elapsed();
    log.add({progress_.step, train_loss, validation, progress_.seconds, rate});
    std::printf("step %lld  train %.4f  validation %.4f  %.0f characters/s  left %s\n",
                static_cast<long long>(progress_.step), train_loss, validation, rate,
                duration_text(time_left()).c_str());
    std::fflush(stdout);
    line_started_ = elapsed();
    line_step_ = progress_.step;
  }

  double time_left() const {
    const double by_steps = (elapsed() - line_started_) /
                            static_cast<double>(std::max<std::int64_t>(1, progress_.step - line_step_)) *
                            static_cast<double>(steps_ - progress_.step);
    return settings_.minutes > 0 ? std::min(by_steps, settings_.minutes * 60 - elapsed()) : by_steps;
  }

  auto parts() { return Parts(Part{"model", model_}, Part{"optimizer", adam_}, Part{"progress", progress_}); }

  void save() {
    if (settings_.checkpoint.empty()) return;
    progress_.seconds = elapsed();
    minrnn::save_checkpoint(resume_path(settings_.checkpoint), parts(), metadata_);
  }
  void save_best() {
    if (settings_.checkpoint.empty()) return;
    Metadata data = model_settings_.metadata();
    data["step"] = std::to_string(progress_.best_step);
    data["validation_loss"] = std::to_string(progress_.best_loss);
    minrnn::save_parameters(settings_.checkpoint, model_, data);
  }

  void resume() {
    const std::string path = resume_path(settings_.checkpoint);
    const minrnn::TensorFile file = minrnn::read_safetensors(path);
    for (const auto& [key, value] : metadata_) {
      const auto entry = file.metadata.find(key);
      const std::string given = entry == file.metadata.end() ? "nothing" : entry->second;
      if (given != value) {
        const bool text = key == "data_hash" || key == "vocabulary";
        throw InputError(
            path + ": cannot resume: " +
            (text ? "it was trained on another text" : key + " was " + given + " there and is " + value + " now"));
      }
    }
    minrnn::restore(file, parts());
    std::printf("resumed at step %lld\n", static_cast<long long>(progress_.step));
  }

  /// The best weights over the whole validation part, in one stream: the number to quote.
  void finish() {
    if (!settings_.checkpoint.empty()) load_checkpoint(settings_.checkpoint, model_);
    const auto size = static_cast<Index>(text_.validation_size());
    const double loss = stream_loss(model_, text_.validation(), size, 1, size);
    std::printf("%s of step %lld: loss %.4f nats/char over all %lld characters of the validation part\n",
                settings_.checkpoint.empty() ? "last weights" : "best weights",
                static_cast<long long>(settings_.checkpoint.empty() ? progress_.step : progress_.best_step), loss,
                static_cast<long long>(size));
  }

  const TrainSettings& settings_;
  const ModelSettings& model_settings_;
  const Text& text_;
  Model& model_;
  typename Model::Cache cache_;
  minrnn::Adam<float> adam_;
  Batches batches_;
  minrnn::Sequence<float> dlogits_;
  Metadata metadata_;
  Progress progress_;
  std::int64_t steps_ = 0, line_step_ = 0;
  double started_ = 0, line_started_ = 0;
};

void check(const TrainSettings& s, const Text& text) {
  const auto least = static_cast<std::size_t>(s.context) + 2;
  if (text.training_size < least || text.validation_size() < least)
    throw InputError((s.data.empty() ? std::string("the built-in text") : s.data) + ": is too short: --context " +
                     std::to_string(s.context) + " wants a tenth of it to have " + std::to_string(least) +
                     " characters, it has " + std::to_string(text.validation_size()));
  if (s.resume && s.checkpoint.empty()) throw InputError("--resume: wants --checkpoint FILE");
  if (!s.checkpoint.empty() && !s.checkpoint.ends_with(".safetensors"))
    throw InputError("--checkpoint: wanted a name that ends in .safetensors, given " + s.checkpoint);
  const auto folder = std::filesystem::absolute(s.checkpoint).parent_path();
  if (!s.checkpoint.empty() && !std::filesystem::is_directory(folder))
    throw InputError("--checkpoint: there is no folder " + folder.string());
  if (!s.resume && !s.overwrite)
    for (const std::string& file : {s.checkpoint, s.checkpoint.empty() ? "" : resume_path(s.checkpoint), s.log})
      if (!file.empty() && std::filesystem::exists(file))
        throw InputError(file + ": is there already: --resume goes on from it, --overwrite starts anew");
}

}  // namespace

int train(const TrainSettings& settings) {
  const Text text = settings.data.empty() ? Text::built_in() : Text::from_file(settings.data);
  check(settings, text);
  ModelSettings model_settings = settings.model;
  model_settings.vocabulary = text.vocabulary.bytes();
  return with_model(model_settings, settings.seed, [&](auto& model) {
    std::printf("%s, %lld blocks of %lld features: %lld parameters\n", model_settings.mixer.c_str(),
                static_cast<long long>(model_settings.layers), static_cast<long long>(model_settings.dim),
                static_cast<long long>(parameter_count(model)));
    std::printf("%zu characters of %lld kinds to train on, %zu to validate; %lld threads\n", text.training_size,
                static_cast<long long>(text.vocabulary.size()), text.validation_size(),
                static_cast<long long>(minrnn::worker_count()));
    Training training(settings, model_settings, text, model);
    if (settings.overwrite && !settings.checkpoint.empty()) std::filesystem::remove(resume_path(settings.checkpoint));
    const auto on_signal = [](int) { interrupted = 1; };
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    return training.run();
  });
}

}  // namespace char_lm
