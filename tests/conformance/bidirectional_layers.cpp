// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<BidirectionalLayers>();

}  // namespace

template AnyLayer<float> erase(Bidirectional<Gru<float>>);
template AnyLayer<float> erase(Bidirectional<Lstm<float>>);
template AnyLayer<double> erase(Bidirectional<Gru<double>>);
template AnyLayer<double> erase(Bidirectional<Lstm<double>>);

}  // namespace minrnn::conformance
