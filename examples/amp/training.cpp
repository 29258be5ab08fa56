// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "training.hpp"

#include <cmath>
#include <cstdint>
#include <string>

#include "loss.hpp"
#include "support/best_weights.hpp"
#include "support/checkpoints.hpp"
#include "support/files.hpp"

namespace amp {

void Training::step(double learning_rate) {
  const minrnn::Context context{.draw = progress.step, .executor = &executor_};
  if (progress.step % stretches_.segments() == 0) {
    network_.begin(stretches_.batch(), kAwake);
    network_.warm_up(stretches_.warm_up(material_.x, progress.step / stretches_.segments()), context);
  }
  const auto target = stretches_.segment(material_.target, progress.step);
  const auto y = network_.forward(stretches_.segment(material_.x, progress.step), context);
  const double loss = error_to_signal(y, target, dy_, settings_.loss);
  const double norm = network_.backward(dy_, settings_.clip, context);
  if (!std::isfinite(loss) || !std::isfinite(norm)) diverge(progress.step);
  network_.step(learning_rate, context);
  progress.loss_sum += loss;
  ++progress.loss_count;
  ++progress.step;
}

Training::Evaluation Training::evaluate() {
  const auto stream = network_.stream(material_.scales);
  const double ratio = play(*stream, material_, material_.validation, out_).ratio();
  if (!std::isfinite(ratio)) diverge(progress.step);
  const Evaluation result{progress.mean_loss(), ratio, ratio < progress.best_loss};
  progress.loss_sum = 0;
  progress.loss_count = 0;
  if (!result.best) return result;
  progress.best_loss = ratio;
  progress.best_step = progress.step;
  Metadata metadata = model_.metadata();
  metadata["step"] = std::to_string(progress.best_step);
  metadata["validation_esr"] = number_text(progress.best_loss);
  best_.keep(network_.weights(material_.scales, metadata));
  return result;
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
  for (const auto& [key, value] : resume_metadata()) {
    const auto entry = file.metadata.find(key);
    if (entry == file.metadata.end())
      throw InputError(shown(path) + ": is not the state of a training of " + program_name);
    if (entry->second == value) continue;
    if (key == "data_hash")
      throw InputError(shown(path) + ": cannot resume: it was trained on other data than " + shown(material_.name));
    refuse_to_resume(path, key, entry->second, value);
  }
  network_.begin(stretches_.batch(), kAwake);  // of the sizes that the file has
  network_.restore_state(file, progress);
  check_finite(file, "model/");
  check_finite(file, "optimizer/");
  check_finite(file, "state/");
  if (progress.best_step != 0) check_best_weights(settings_.files.checkpoint);
}

void Training::restore_best() {
  Scales scales;
  network_.restore_weights(best_.read(), scales);
}

Metadata Training::resume_metadata() const {
  Metadata metadata = model_.metadata();
  metadata["data_hash"] = std::to_string(material_.hash);
  metadata["validation"] = number_text(settings_.validation);
  metadata["test"] = number_text(settings_.test);
  metadata["batch"] = std::to_string(settings_.batch);
  metadata["segment"] = std::to_string(settings_.segment);
  metadata["warm_up"] = std::to_string(settings_.warm_up);
  metadata["learning_rate"] = number_text(settings_.learning_rate);
  metadata["clip"] = number_text(settings_.clip);
  metadata["pre_emphasis"] = number_text(settings_.loss.pre_emphasis);
  metadata["seed"] = std::to_string(settings_.seed);
  metadata["evaluate_every"] = std::to_string(settings_.evaluate_every);
  return metadata;
}

}  // namespace amp
