// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "training.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "support/best_weights.hpp"
#include "support/checkpoints.hpp"
#include "support/files.hpp"

namespace sequence_tool {
namespace {

void shuffle(std::vector<Index>& list, minrnn::Random random) {
  for (std::size_t n = list.size(); n > 1; --n) std::swap(list[n - 1], list[random.below(n)]);
}

Scales scales_of(const Dataset& data, const Truth& truth, const Split& split) {
  Scales scales{scale_of(data, split.training), std::nullopt};
  if (!truth.numbers.empty()) scales.target = scale_of(truth.numbers, split.training);
  return scales;
}

}  // namespace

Split::Split(const Dataset& data, double validation_share, const minrnn::Random& random) {
  const Index count = data.size();
  if (count < 2)
    throw InputError(shown(data.name) + ": has one sequence alone: wanted some to train on and some to validate");
  std::vector<Index> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), Index{0});
  shuffle(list, minrnn::Random(random.stream(2)));
  const auto wanted = static_cast<Index>(std::llround(validation_share * static_cast<double>(count)));
  const auto border = list.begin() + std::clamp<Index>(wanted, 1, count - 1);
  validation.assign(list.begin(), border);
  training.assign(border, list.end());
}

Problem::Problem(const Dataset& data, const ModelSettings& model, double validation_share, const minrnn::Random& random)
    : name(data.name),
      hash(data.hash()),
      truth(data, model),
      split(data, validation_share, random),
      scales(scales_of(data, truth, split)),
      sequences(data, scales.features) {}

std::vector<Index> Order::of_step(std::int64_t step) {
  const std::int64_t epoch = step / steps_of_epoch();
  if (epoch != epoch_) {
    shuffled_ = sequences_;
    shuffle(shuffled_, minrnn::Random(stream_.stream(static_cast<Index>(epoch))));
    epoch_ = epoch;
  }
  const auto first = static_cast<std::size_t>(step % steps_of_epoch() * batch_);
  const auto last = std::min(first + static_cast<std::size_t>(batch_), shuffled_.size());
  return {shuffled_.begin() + static_cast<std::ptrdiff_t>(first),
          shuffled_.begin() + static_cast<std::ptrdiff_t>(last)};
}

std::int64_t Training::evaluate_every() const {
  return settings_.evaluate_every > 0 ? settings_.evaluate_every : std::max<std::int64_t>(steps_of_epoch(), 50);
}
std::int64_t Training::save_every() const { return settings_.save_every > 0 ? settings_.save_every : evaluate_every(); }

double Training::loss_of(const std::vector<Index>& list, Network::Answers answers, const minrnn::Context& context) {
  if (model_.task == Task::classification) {
    std::vector<std::int32_t> classes;
    for (const Index i : list) classes.push_back(problem_.truth.classes[static_cast<std::size_t>(i)]);
    const minrnn::SequenceView<const std::int32_t> targets(classes.data(), 1, 1, answers.batch());
    return minrnn::softmax_cross_entropy(answers, targets, danswers_, context).loss;
  }
  const Scale& scale = *problem_.scales.target;
  std::vector<float> numbers;
  for (const Index i : list)
    numbers.push_back(static_cast<float>((problem_.truth.numbers[static_cast<std::size_t>(i)] - scale.mean(0, 0)) /
                                         scale.deviation(0, 0)));
  const minrnn::SequenceView<const float> targets(numbers.data(), 1, 1, answers.batch());
  return minrnn::mean_square(answers, targets, danswers_, context).loss;
}

void Training::step(double learning_rate) {
  const auto list = order_.of_step(progress.step);
  std::vector<minrnn::SequenceView<const float>> views;
  for (const Index i : list) views.push_back(problem_.sequences[i]);
  batch_.pack(views);

  const minrnn::Context context{.draw = progress.step, .executor = &executor_};
  const double loss = loss_of(list, network_.forward(batch_, context), context);
  const double norm = network_.backward(danswers_, settings_.clip, context);
  if (!std::isfinite(loss) || !std::isfinite(norm)) diverge(progress.step);
  network_.step(learning_rate, settings_.weight_decay, context);
  const auto count = static_cast<std::int64_t>(list.size());
  progress.loss_sum += loss * static_cast<double>(count);
  progress.loss_count += count;
  ++progress.step;
}

Training::Evaluation Training::evaluate() {
  const auto& list = problem_.split.validation;
  const auto answers = answers_to(network_, problem_.sequences, list, {.executor = &executor_}, [](Index) {});
  const Score score = score_of(answers.view(), list, problem_.truth, problem_.scales);
  if (!std::isfinite(score.loss)) diverge(progress.step);
  const Evaluation result{progress.mean_loss(), score, score.loss < progress.best_loss};
  progress.loss_sum = 0;
  progress.loss_count = 0;
  ++progress.worse_evaluations;
  if (!result.best) return result;
  progress.worse_evaluations = 0;
  progress.best_loss = score.loss;
  progress.best_step = progress.step;
  best_.keep(network_.weights(problem_.scales, best_metadata()));
  return result;
}

Metadata Training::best_metadata() const {
  Metadata metadata = model_.metadata();
  metadata["step"] = std::to_string(progress.best_step);
  metadata["validation_loss"] = number_text(progress.best_loss);
  return metadata;
}

void Training::save() {
  if (settings_.files.checkpoint.empty()) return;
  if (!network_.is_finite()) diverge(progress.step);
  minrnn::write_safetensors(path_of(resume_path(settings_.files.checkpoint)),
                            network_.state(progress, resume_metadata()));
}

void Training::resume() {
  const std::string path = resume_path(settings_.files.checkpoint);
  const minrnn::TensorFile file = minrnn::read_safetensors(path_of(path));
  const std::set<std::string> of_data{"data_hash", "classes", "columns", "image_rows", "image_columns"};
  bool same_data = true;
  for (const auto& [key, value] : resume_metadata()) {
    const auto entry = file.metadata.find(key);
    const bool differs = entry == file.metadata.end() || entry->second != value;
    if (differs && of_data.count(key) > 0)
      same_data = false;
    else if (entry == file.metadata.end())
      throw InputError(shown(path) + ": is not the state of a training of " + program_name);
    else if (differs)
      refuse_to_resume(path, key == "input" ? "read" : key, entry->second, value);
  }
  if (!same_data)
    throw InputError(shown(path) + ": cannot resume: it was trained on other data than " + shown(problem_.name));
  network_.restore_state(file, progress);
  check_finite(file, "model/");
  check_finite(file, "optimizer/");
  if (progress.best_step != 0) check_best_weights(settings_.files.checkpoint);
}

std::string Training::final_report(const std::function<void(Index)>& tell) {
  Scales scales = problem_.scales;
  network_.restore_weights(best_.read(), scales);
  const auto& list = problem_.split.validation;
  const auto answers = answers_to(network_, problem_.sequences, list, {.executor = &executor_}, tell);
  const Score score = score_of(answers.view(), list, problem_.truth, problem_.scales);
  char text[160];
  std::snprintf(text, sizeof text, "best weights, of step %lld: loss %.6f  %s over %lld sequences to validate\n\n",
                static_cast<long long>(progress.best_step), score.loss,
                measure_text(model_.task, score.measure).c_str(), static_cast<long long>(list.size()));
  return text + table_of(answers.view(), list, problem_.truth, model_, problem_.scales);
}

Metadata Training::resume_metadata() const {
  Metadata metadata = model_.metadata();
  metadata["data_hash"] = std::to_string(problem_.hash);
  metadata["validation"] = number_text(settings_.validation);
  metadata["batch"] = std::to_string(settings_.batch);
  metadata["learning_rate"] = number_text(settings_.learning_rate);
  metadata["weight_decay"] = number_text(settings_.weight_decay);
  metadata["clip"] = number_text(settings_.clip);
  metadata["seed"] = std::to_string(settings_.seed);
  metadata["evaluate_every"] = std::to_string(evaluate_every());
  return metadata;
}

}  // namespace sequence_tool
