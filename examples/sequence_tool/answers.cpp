// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "answers.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/sequence_batch.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/loss/confusion.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/loss/regression_errors.hpp"

namespace sequence_tool {
namespace {

using minrnn::Sequence;
using minrnn::SequenceView;
using Answers = SequenceView<const float>;

constexpr Index kFrames = 16384;  // of sequences that are computed at once

Sequence<std::int32_t> classes_of(const std::vector<Index>& list, const Truth& truth) {
  Sequence<std::int32_t> classes(1, 1, static_cast<Index>(list.size()));
  for (std::size_t n = 0; n < list.size(); ++n) classes.data()[n] = truth.classes[static_cast<std::size_t>(list[n])];
  return classes;
}

minrnn::Confusion confusion_of(Answers answers, const std::vector<Index>& list, const Truth& truth) {
  minrnn::Confusion confusion(answers.features());
  confusion.add(answers, classes_of(list, truth).view());
  return confusion;
}

/// Of answers in the unit of the target, or of the same number for all.
minrnn::RegressionErrors errors_of(Answers answers, const std::vector<Index>& list, const Truth& truth,
                                   const Scale& scale, double weight_of_answer) {
  Sequence<double> y(1, 1, answers.batch()), target(1, 1, answers.batch());
  for (std::size_t n = 0; n < list.size(); ++n) {
    const double answer = static_cast<double>(*answers.column(0, static_cast<Index>(n)));
    y.data()[n] = scale.mean(0, 0) + weight_of_answer * scale.deviation(0, 0) * answer;
    target.data()[n] = truth.numbers[static_cast<std::size_t>(list[n])];
  }
  minrnn::RegressionErrors errors;
  errors.add(y.view(), target.view());
  return errors;
}

/// printf into a string.
template <class... Values>
std::string line(const char* format, Values... values) {
  std::vector<char> text(static_cast<std::size_t>(std::snprintf(nullptr, 0, format, values...)) + 1);
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}
std::string percent(double share) { return line("%.1f %%", 100 * share); }
std::string padded(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string confusion_table(const minrnn::Confusion& confusion, const std::vector<std::string>& classes) {
  constexpr std::size_t kMostColumns = 16, kMostName = 32;
  std::vector<std::string> names;
  std::size_t widest = 6;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    names.push_back(std::to_string(k + 1) + "  " + minrnn::printable(classes[k], kMostName));
    widest = std::max(widest, names.back().size());
  }
  const bool shows_counts = classes.size() <= kMostColumns;
  std::string text = std::string(widest, ' ');
  const auto place = [](std::size_t k) { return static_cast<Index>(k); };
  if (shows_counts) {
    text = "rows: the class; columns: what was answered\n" + text;
    for (std::size_t k = 0; k < classes.size(); ++k) text += padded(std::to_string(k + 1), 8);
  }
  text += padded("recall", 11) + padded("precision", 11) + "\n";
  for (std::size_t k = 0; k < classes.size(); ++k) {
    text += names[k] + std::string(widest - names[k].size(), ' ');
    if (shows_counts)
      for (std::size_t answer = 0; answer < classes.size(); ++answer)
        text += padded(std::to_string(static_cast<long long>(confusion.counts()(place(k), place(answer)))), 8);
    const bool is_there = confusion.counts().row(place(k)).any(), was_given = confusion.counts().col(place(k)).any();
    text += padded(is_there ? percent(confusion.recall(place(k))) : "-", 11) +
            padded(was_given ? percent(confusion.precision(place(k))) : "-", 11) + "\n";
  }
  return text;
}

}  // namespace

Truth::Truth(const Dataset& data, const ModelSettings& settings) {
  if (settings.task == Task::classification)
    classes = targets_of(data, settings.classes);
  else
    numbers = numbers_of(data);
}

Sequence<float> answers_to(Network& network, const Sequences& sequences, const std::vector<Index>& list,
                           const minrnn::Context& context, const std::function<void(Index)>& tell) {
  const auto count = static_cast<Index>(list.size());
  Sequence<float> answers;
  minrnn::SequenceBatch<float> batch;
  std::vector<SequenceView<const float>> views;
  Index done = 0;
  while (done < count) {
    views.clear();
    Index frames = 0;
    for (Index n = done; n < count; ++n) {
      const auto view = sequences[list[static_cast<std::size_t>(n)]];
      if (!views.empty() && frames + view.time() > kFrames) break;
      frames += view.time();
      views.push_back(view);
    }
    batch.pack(views);
    const auto part = network.infer(batch, context);
    if (done == 0) answers.resize(part.features(), 1, count);
    std::copy_n(part.data(), part.size(), answers.view().column(0, done));
    done += part.batch();
    tell(done);
  }
  return answers;
}

Score score_of(Answers answers, const std::vector<Index>& list, const Truth& truth, const Scales& scales) {
  if (!scales.target) {
    const double loss = minrnn::softmax_cross_entropy(answers, classes_of(list, truth).view()).loss;
    return {loss, confusion_of(answers, list, truth).accuracy()};
  }
  const double error = errors_of(answers, list, truth, *scales.target, 1).root_mean_square();
  const double scaled = error / scales.target->deviation(0, 0);
  return {scaled * scaled, error};
}

std::string measure_text(Task task, double measure) {
  return task == Task::classification ? line("accuracy %.2f %%", 100 * measure) : line("error %.6g", measure);
}

std::string table_of(Answers answers, const std::vector<Index>& list, const Truth& truth, const ModelSettings& settings,
                     const Scales& scales) {
  if (settings.task == Task::classification)
    return confusion_table(confusion_of(answers, list, truth), settings.classes);
  std::string text = padded("", 20) + padded("mean absolute", 18) + padded("root mean square", 18) + padded("R^2", 9);
  for (const auto& [name, weight] : {std::pair{"the model", 1.0}, {"the training's mean", 0.0}}) {
    const auto errors = errors_of(answers, list, truth, *scales.target, weight);
    text +=
        line("\n%-20s%18.6g%18.6g%9.4f", name, errors.mean_absolute(), errors.root_mean_square(), errors.r_squared());
  }
  return text + "\n";
}

Dataset read_data(const DataFiles& files, const ModelSettings& settings, Targets targets) {
  if (settings.source == Source::table) {
    if (!files.images.empty()) throw InputError("--images: the model was trained on a table: wanted --data FILE");
    if (files.data.empty()) throw InputError("--data: wanted the name of a file");
    return read_csv(files.data, settings.columns, targets);
  }
  if (files.images.empty()) throw InputError("--images: the model was trained on images: wanted --images FILE");
  if (targets == Targets::wanted && files.labels.empty()) throw InputError("--labels: wanted the name of a file");
  Dataset data =
      read_idx(files.images, files.labels, settings.source == Source::rows ? Reading::rows : Reading::pixels);
  if (data.image_rows != settings.image_rows || data.image_columns != settings.image_columns)
    throw InputError(shown(files.images) + ": wanted images of " + std::to_string(settings.image_rows) + " x " +
                     std::to_string(settings.image_columns) + " as in training, given " +
                     std::to_string(data.image_rows) + " x " + std::to_string(data.image_columns));
  return data;
}

void check_answers(Answers answers, const std::string& checkpoint) {
  for (Index n = 0; n < answers.size(); ++n)
    if (!std::isfinite(answers.data()[n]))
      throw InputError(shown(checkpoint) + ": the model gives no finite numbers: its weights are too large");
}

}  // namespace sequence_tool
