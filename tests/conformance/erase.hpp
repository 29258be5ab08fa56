// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "conformance/listed_layer.hpp"

namespace minrnn::conformance {

/// For the files *_layers.cpp, each of which compiles it for its own layers alone: another would compile these again.
template <class L>
AnyLayer<typename L::Scalar> erase(L layer) {
  return AnyLayer<typename L::Scalar>(std::move(layer));
}

}  // namespace minrnn::conformance
