// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/check_layer.hpp"

/// check_layer, compiled once for all tests.
namespace minrnn::detail::promises {

extern template std::vector<Finding> check_any_layer(const erased::AnyLayer<float>&, const CheckLayerOptions&);
extern template std::vector<Finding> check_any_layer(const erased::AnyLayer<double>&, const CheckLayerOptions&);

}  // namespace minrnn::detail::promises

namespace minrnn::tests {

std::vector<std::string> promise_names();

}  // namespace minrnn::tests
