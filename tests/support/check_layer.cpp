// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/check_layer.hpp"

namespace minrnn::detail::promises {

template std::vector<Finding> check_any_layer(const erased::AnyLayer<float>&, const CheckLayerOptions&);
template std::vector<Finding> check_any_layer(const erased::AnyLayer<double>&, const CheckLayerOptions&);

}  // namespace minrnn::detail::promises

namespace minrnn::tests {

std::vector<std::string> promise_names() {
  std::vector<std::string> names;
  for (const auto& [name, promise] : minrnn::detail::promises::kPromises<double>) names.push_back(name);
  return names;
}

}  // namespace minrnn::tests
