// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn::tests {

/// The weights of a layer by their names.
template <class L>
std::map<std::string, Matrix<double>> weights_of(const L& layer) {
  std::map<std::string, Matrix<double>> weights;
  visit_parameters(layer, [&](const Name& name, const auto& p) { weights[name.str()] = p.value; });
  return weights;
}

}  // namespace minrnn::tests
