// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<HighwayLayers>();

}  // namespace

template AnyLayer<float> erase(Highway<MinGru<float>>);
template AnyLayer<double> erase(Highway<MinGru<double>>);

}  // namespace minrnn::conformance
