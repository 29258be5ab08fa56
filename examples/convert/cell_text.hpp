// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "minrnn/core/types.hpp"

namespace convert {

using minrnn::Index;

/// Cells as the header of their weights says what they are, "(MinGru(1, 16), Residual Mlp(16, 64), Linear(16, 1))". The
/// outer brackets and all sizes may be left out.
struct CellText {
  std::string kind;             // "plain MinGru", "Residual"; empty: a chain
  std::vector<Index> sizes;     // empty: as the weights are
  std::vector<CellText> inner;  // of a chain, or the one of a Residual
};

/// Throws InputError, which says where the text is no such cells.
CellText parse_cells(const std::string& text);

}  // namespace convert
