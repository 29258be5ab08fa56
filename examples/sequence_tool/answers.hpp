// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/sequence.hpp"
#include "network.hpp"

namespace sequence_tool {

/// What the answers of a model should have been.
struct Truth {
  std::vector<std::int32_t> classes;  // of each sequence
  std::vector<double> numbers;

  Truth(const Dataset& data, const ModelSettings& settings);
};

/// The answers of a model (K, 1, N) to the sequences of this list, in their order.
/// `tell(done)` is called as it goes on.
minrnn::Sequence<float> answers_to(Network& network, const Sequences& sequences, const std::vector<Index>& list,
                                   const minrnn::Context& context, const std::function<void(Index)>& tell);

/// How good answers are: a loss, as in training, and the share of the right ones, or the root mean square error in the
/// unit of the target.
struct Score {
  double loss, measure;
};
Score score_of(minrnn::SequenceView<const float> answers, const std::vector<Index>& list, const Truth& truth,
               const Scales& scales);
/// "accuracy 93.1 %" or "error 0.12".
std::string measure_text(Task task, double measure);

/// A confusion matrix or a table of errors, for people.
std::string table_of(minrnn::SequenceView<const float> answers, const std::vector<Index>& list, const Truth& truth,
                     const ModelSettings& settings, const Scales& scales);

/// The data for a trained model, of the kind that it was trained on. Throws InputError where they are of another.
Dataset read_data(const DataFiles& files, const ModelSettings& settings, Targets targets);

/// Throws InputError where a model gives no finite numbers.
void check_answers(minrnn::SequenceView<const float> answers, const std::string& checkpoint);

}  // namespace sequence_tool
