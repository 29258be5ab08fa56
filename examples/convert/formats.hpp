// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "commands.hpp"
#include "minrnn/io/json_tensors.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace convert {

/// A file of theirs: its tensors, what else it says, and the table by which it becomes ours.
struct Theirs {
  minrnn::TensorFile file;
  minrnn::Json document;  // of formats that are JSON
  minrnn::NameMap map;
  std::string cells, part;  // what the metadata of ours say for `convert header`; empty: nobody knows
};

/// Throws std::runtime_error with the path and the reason.
Theirs read_theirs(const std::string& path, const Settings& settings);

/// Writes tensors of theirs, and what else `like` says.
void write_theirs(const std::string& path, const minrnn::TensorFile& file, const Theirs& like,
                  const Settings& settings);

}  // namespace convert
