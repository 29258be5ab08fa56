// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "answers.hpp"
#include "commands.hpp"
#include "csv.hpp"
#include "network.hpp"
#include "support/checkpoints.hpp"
#include "support/console.hpp"

namespace sequence_tool {
namespace {

std::vector<Index> all_of(const Sequences& sequences) {
  std::vector<Index> list(static_cast<std::size_t>(sequences.size()));
  std::iota(list.begin(), list.end(), Index{0});
  return list;
}

/// With what is left to do on standard error.
minrnn::Sequence<float> answers_with_meter(Network& network, const Sequences& sequences, const std::vector<Index>& list,
                                           const std::string& checkpoint, minrnn::Executor& executor) {
  const Clock clock;
  Meter meter(stderr);
  auto answers = answers_to(network, sequences, list, {.executor = &executor}, [&](Index done) {
    meter.update([&] {
      const double part = static_cast<double>(done) / static_cast<double>(list.size());
      return std::to_string(done) + " of " + std::to_string(list.size()) + " sequences  left " +
             duration_text(clock.seconds() * (1 / part - 1));
    });
  });
  check_answers(answers, checkpoint);
  return answers;
}

std::string fixed(double probability) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", probability);
  return text;
}

/// The most likely class and the probabilities of all.
std::string class_fields(const float* answer, const std::vector<std::string>& classes) {
  const std::size_t count = classes.size();
  const std::size_t best = static_cast<std::size_t>(std::max_element(answer, answer + count) - answer);
  std::vector<double> shares(count);
  for (std::size_t k = 0; k < count; ++k)
    shares[k] = std::exp(static_cast<double>(answer[k]) - static_cast<double>(answer[best]));
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::string text = csv_field(classes[best]);
  for (const double share : shares) text += "," + fixed(share / total);
  return text;
}

}  // namespace

std::vector<NamedFile> DataFiles::named() const {
  std::vector<NamedFile> files;
  for (const auto& [option, path] :
       {NamedFile{"--data", data}, NamedFile{"--images", images}, NamedFile{"--labels", labels}})
    if (!path.empty() && path != "-") files.push_back({option, path});
  return files;
}

int predict(const std::string& checkpoint, const DataFiles& files, const Output& output, minrnn::Executor& executor) {
  auto read = files.named();
  read.push_back({"--checkpoint", checkpoint});
  output.check(read);
  Trained trained = read_checkpoint(checkpoint);
  const Dataset data = read_data(files, trained.settings, Targets::ignored);
  const Sequences sequences(data, trained.scales.features);
  const auto answers = answers_with_meter(*trained.network, sequences, all_of(sequences), checkpoint, executor);

  std::string text = "id,predicted";
  for (const auto& name : trained.settings.classes) text += "," + csv_field("p(" + name + ")");
  text += "\n";
  for (Index i = 0; i < data.size(); ++i) {
    const float* answer = answers.view().column(0, i);
    text += csv_field(data.ids[static_cast<std::size_t>(i)]) + ",";
    if (const auto& scale = trained.scales.target)
      text +=
          number_text(static_cast<float>(scale->mean(0, 0) + scale->deviation(0, 0) * static_cast<double>(*answer)));
    else
      text += class_fields(answer, trained.settings.classes);
    text += "\n";
  }
  output.write(text);
  return 0;
}

int evaluate(const std::string& checkpoint, const DataFiles& files, minrnn::Executor& executor) {
  Trained trained = read_checkpoint(checkpoint);
  const Dataset data = read_data(files, trained.settings, Targets::wanted);
  const Truth truth(data, trained.settings);
  const Sequences sequences(data, trained.scales.features);
  const auto list = all_of(sequences);
  const auto answers = answers_with_meter(*trained.network, sequences, list, checkpoint, executor);
  const Score score = score_of(answers.view(), list, truth, trained.scales);
  say("%lld sequences\nloss %.6f  %s\n\n%s", static_cast<long long>(data.size()), score.loss,
      measure_text(trained.settings.task, score.measure).c_str(),
      table_of(answers.view(), list, truth, trained.settings, trained.scales).c_str());
  return 0;
}

int generate(Task task, Index sequences, std::uint64_t seed, const Output& output) {
  output.check({});
  output.write(csv_text(generate(task, sequences, seed)));
  return 0;
}

}  // namespace sequence_tool
