// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/io/formats/puffer.hpp"

namespace convert {

struct Settings {
  std::string from, to;
  std::string format;  // of theirs; empty: safetensors as it is
  std::string like;    // a file of theirs, in whose names and shapes ours are written; empty: theirs becomes ours
  minrnn::PufferOptions puffer;
  bool overwrite = false;
  std::string cells, part;                      // of a header: what the model is, and where; empty: as the metadata say
  std::string name_space;                       // of a header; empty: as the file
  bool floats = false;                          // of a header: round doubles
  std::optional<minrnn::WeightFormat> weights;  // of a header: of its matrices; none: as they are
};

/// The names of the formats that are read and written.
const std::vector<std::string>& format_names();

/// Writes one file in the form of another. All of these give the exit status.
int convert(const Settings& settings);

/// Prints the tensors of a file.
int inspect(const Settings& settings);

/// Reads a file, and wants every number of it to be finite.
int check_file(const Settings& settings);

/// Writes the weights of a checkpoint of ours as a header for cells.
int write_header(const Settings& settings);

}  // namespace convert
