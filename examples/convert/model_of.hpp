// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "commands.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace convert {

/// The metadata by which a checkpoint says of which cells it is, and which part of it is the model.
inline constexpr const char *kCellsKey = "cells", *kPartKey = "part";

/// What the header of a checkpoint has to say.
struct Model {
  std::string cells;                       // as `parse_cells` reads them; empty: nobody has said it
  std::string part;                        // the beginning of the names of its tensors; empty: all
  std::string constants;                   // members of the struct that the header has beside the weights
  std::vector<std::string> first_state{};  // lines that make the state what it begins with, where it is not zero
  std::string step{};                      // how a program calls the cells, where it is not y = model.step(x, state)
};

/// By the options, by the metadata "cells" and "part", or by those of a checkpoint of amp. Throws InputError for a
/// checkpoint of a program that has no cells.
Model model_of(const minrnn::TensorFile& file, const Settings& settings);

}  // namespace convert
