// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "evaluate.hpp"
#include "minrnn/distributed/broadcast.hpp"
#include "minrnn/distributed/check_alike.hpp"
#include "minrnn/distributed/data_parallel.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "model.hpp"
#include "support/best_weights.hpp"
#include "support/checkpoints.hpp"
#include "support/files.hpp"
#include "support/training_time.hpp"

namespace char_lm {

struct Progress : TrainingProgress {
  std::uint64_t random = 0;  // draws the windows of the next step

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    TrainingProgress::visit(self, scope, visitor);
    visitor(scope / "random", self.random);
  }
};

/// A model in training: steps, evaluations, and the two files that it keeps. All that the next step depends on is in
/// the model, the optimizer and `progress`, and these three are what is saved, so a resumed training goes on bit for
/// bit.
template <class Model>
class Training {
 public:
  Progress progress;

  Training(const TrainSettings& settings, const ModelSettings& model_settings, const Text& text, Model& model,
           minrnn::Random random, minrnn::Executor& executor, Ranks& ranks)
      : settings_(settings),
        model_settings_(model_settings),
        text_(text),
        model_(model),
        executor_(executor),
        ranks_(ranks),
        adam_(model, {.beta2 = 0.99f, .weight_decay = static_cast<float>(settings.weight_decay)}),
        tokens_(1, settings.context + 1, settings.batch) {
    progress.random = random.state();
  }

  /// Lets ranks that differ in what decides the result be refused. To be called before the first step.
  void join(std::vector<minrnn::SharedSetting> settings) {
    for (const auto& [key, value] : resume_metadata())
      settings.push_back({key == "data_hash" || key == "vocabulary" ? "the text" : option_of(key), value});
    minrnn::check_alike(ranks_.communicator(), std::move(settings));
    if (settings_.shards > 0)
      parallel_.emplace(model_, ranks_.communicator(), minrnn::DataParallelOptions{.shards = settings_.shards});
  }

  /// Throws Diverged where loss or gradient are no finite numbers; nothing has changed then.
  void step(float learning_rate) {
    auto random = minrnn::Random::from_state(progress.random);
    const Index context = settings_.context;
    const auto places = static_cast<std::uint64_t>(text_.training_size() - context);
    for (Index b = 0; b < settings_.batch; ++b)
      text_.copy_tokens(static_cast<Index>(random.below(places)), context + 1, tokens_.view().column(0, b));

    const minrnn::Context call{.draw = progress.step, .executor = &executor_};
    const double loss = loss_and_gradient(call);
    const double norm = clip_gradient_norm(model_, settings_.clip);
    if (!std::isfinite(loss) || !std::isfinite(norm)) diverged();
    adam_.options.learning_rate = learning_rate;
    adam_.step(model_, call);
    progress.random = random.state();
    progress.loss_sum += loss;
    ++progress.loss_count;
    ++progress.step;
  }

  struct Evaluation {
    double train_loss;       // the mean over the steps since the last evaluation
    double validation_loss;  // over a fixed part of the validation text
    bool best;
  };
  /// Keeps the weights in the checkpoint where they are the best so far.
  Evaluation evaluate() {
    const double loss =
        validation_loss(model_, text_, 32, evaluated_characters(), executor_, std::max<Index>(settings_.shards, 1),
                        ranks_.communicator(), [](Index, Index) { return true; })
            .loss;
    if (!std::isfinite(loss)) diverged();
    const Evaluation result{progress.mean_loss(), loss, loss < progress.best_loss};
    progress.loss_sum = 0;
    progress.loss_count = 0;
    if (result.best) {
      progress.best_loss = loss;
      progress.best_step = progress.step;
      save_best();
    }
    return result;
  }
  /// How much of the validation text an evaluation reads: it should cost no more than 3 % of the steps between two.
  Index evaluated_characters() const {
    const double between =
        static_cast<double>(settings_.evaluate_every) * static_cast<double>(settings_.batch * settings_.context);
    const auto affordable = static_cast<Index>(std::clamp(between / 12, 1024.0, 32768.0));
    return std::min(affordable, text_.validation_size());
  }

  /// The training state, of the first rank. Never one that cannot be gone on from.
  void save() {
    if (settings_.checkpoint.empty()) return;
    visit_parameters(model_, [&](const minrnn::Name&, const auto& p) {
      if (!p.value.allFinite()) diverged();
    });
    if (!ranks_.first()) return;
    minrnn::save_checkpoint(path_of(resume_path(settings_.checkpoint)), parts(), resume_metadata());
  }

  /// The first rank reads, all others get from it what it has read. Throws InputError or std::runtime_error where the
  /// file is none of this training; nothing has changed then.
  void resume() {
    ranks_.all_or_none([&] {
      if (ranks_.first()) read_state();
    });
    minrnn::broadcast(ranks_.communicator(), parts());
  }

  /// The loss over the whole validation part as one stream, or one of each shard, of the best weights where there is a
  /// checkpoint; over a first part of it where go_on(count, of) becomes false.
  template <class GoOn>
  PartLoss final_loss(const GoOn& go_on) {
    if (!settings_.checkpoint.empty()) {
      ranks_.all_or_none([&] {
        if (ranks_.first()) minrnn::load_checkpoint(path_of(settings_.checkpoint), model_);
      });
      minrnn::broadcast(ranks_.communicator(), model_);
    }
    const Index streams = std::max<Index>(settings_.shards, 1);
    return validation_loss(model_, text_, streams, text_.validation_size(), executor_, streams, ranks_.communicator(),
                           go_on);
  }

 private:
  /// Of the whole batch, or of its shards one by one. Leaves the gradient in the model.
  double loss_and_gradient(const minrnn::Context& call) {
    if (parallel_) {
      const Index size = settings_.batch / settings_.shards;
      try {
        return parallel_->gradients(
            model_,
            [&](Index shard, const minrnn::Context& context) { return add_gradient(shard * size, size, context); },
            call);
      } catch (const minrnn::SharedError& error) {
        diverged(error.what());
      }
    }
    zero_gradients(model_);
    return add_gradient(0, settings_.batch, call);
  }
  /// Adds the gradient of sequences [first, first + count) of the batch, and gives their loss.
  double add_gradient(Index first, Index count, const minrnn::Context& context) {
    const minrnn::Tokens tokens(tokens_.view().column(0, first), 1, settings_.context + 1, count);
    auto state = model_.initial_state(count);
    const auto logits = model_.forward(tokens.chunk(0, settings_.context), state, cache_, context);
    const double loss =
        minrnn::softmax_cross_entropy(logits, tokens.chunk(1, settings_.context), dlogits_, context).loss;
    model_.backward(dlogits_.view(), cache_, context);
    return loss;
  }

  void read_state() {
    const std::string path = resume_path(settings_.checkpoint);
    const minrnn::TensorFile file = minrnn::read_safetensors(path_of(path));
    for (const auto& [key, value] : resume_metadata()) {
      const auto entry = file.metadata.find(key);
      if (entry == file.metadata.end() && key == "shards")
        throw InputError(shown(path) + ": cannot resume: it began without --shards, and so not under mpirun");
      if (entry == file.metadata.end()) throw InputError(shown(path) + ": is not the state of a training of char_lm");
      if (entry->second == value) continue;
      if (key == "data_hash" || key == "vocabulary")
        throw InputError(shown(path) + ": cannot resume: it was trained on another text than " + shown(text_.name()));
      refuse_to_resume(path, key, entry->second, value);
    }
    if (const auto shards = file.metadata.find("shards"); settings_.shards == 0 && shards != file.metadata.end())
      throw InputError(shown(path) + ": cannot resume: wanted --shards " + minrnn::printable(shards->second) +
                       ", as it began with");
    minrnn::restore(file, parts());
    check_finite(file, "model/");
    check_finite(file, "optimizer/");
    if (progress.best_step != 0) check_best_weights(settings_.checkpoint);
  }

  /// All ranks find this at the same place.
  [[noreturn]] void diverged(const std::string& what = kNotFinite) const {
    ranks_.end_together();
    diverge(progress.step, what);
  }

  auto parts() {
    return minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"optimizer", adam_},
                         minrnn::Part{"progress", progress});
  }

  void save_best() {
    if (settings_.checkpoint.empty() || !ranks_.first()) return;
    Metadata metadata = model_settings_.metadata();
    metadata["step"] = std::to_string(progress.best_step);
    metadata["validation_loss"] = number_text(progress.best_loss);
    minrnn::save_checkpoint(path_of(settings_.checkpoint), model_, metadata);
  }

  /// All that must be the same for a training to go on exactly. `--steps` and `--minutes` may grow.
  Metadata resume_metadata() const {
    Metadata metadata = model_settings_.metadata();
    metadata["data_hash"] = std::to_string(text_.hash());
    metadata["batch"] = std::to_string(settings_.batch);
    metadata["context"] = std::to_string(settings_.context);
    metadata["learning_rate"] = number_text(settings_.learning_rate);
    metadata["weight_decay"] = number_text(settings_.weight_decay);
    metadata["clip"] = number_text(settings_.clip);
    metadata["seed"] = std::to_string(settings_.seed);
    metadata["evaluate_every"] = std::to_string(settings_.evaluate_every);
    if (settings_.shards > 0) metadata["shards"] = std::to_string(settings_.shards);
    return metadata;
  }

  const TrainSettings& settings_;
  const ModelSettings& model_settings_;
  const Text& text_;
  Model& model_;
  minrnn::Executor& executor_;
  Ranks& ranks_;
  std::optional<minrnn::DataParallel<float>> parallel_;  // where there are shards
  typename Model::Cache cache_;
  minrnn::Adam<float> adam_;
  minrnn::Sequence<std::int32_t> tokens_;
  minrnn::Sequence<float> dlogits_;
};

}  // namespace char_lm
