// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "minrnn/io/safetensors.hpp"
#include "support/checkpoints.hpp"

namespace sequence_tool {

inline constexpr Index kMostWindow = 1 << 16;

/// What a sequence is made from.
enum class Source { table, pixels, rows };
const char* name_of(Source source);
const char* name_of(Task task);

/// What a model is made from, and what its checkpoint says of itself.
struct ModelSettings {
  std::string mixer = "mingru", pool = "mean";
  Index layers = 2, dim = 64, expansion = 2, kernel = 4;
  Index heads = 0, window = 0;  // of a transformer alone; 0: dim / 64, and the longest sequence of the training
  double memory = 0;            // frames, of a diagonal mixer before it is trained; 0: as it begins by itself
  double dropout = 0;
  bool bidirectional = false;
  // What the data decide, of which each model has one kind.
  Task task = Task::classification;
  Source source = Source::table;
  Columns columns;  // of a table
  Index image_rows = 0, image_columns = 0;
  std::vector<std::string> classes;  // of a classification

  bool attends() const { return mixer == "transformer"; }
  bool is_diagonal() const { return mixer == "diagonal-gru" || mixer == "diagonal-lstm"; }
  Index inputs() const;
  Index outputs() const { return task == Task::regression ? 1 : static_cast<Index>(classes.size()); }

  Metadata metadata() const;
  /// Throws InputError where the file does not say that it is a checkpoint of this program, or cannot be what it says.
  static ModelSettings from(const minrnn::TensorFile& file);
};

}  // namespace sequence_tool
