// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<RecurrentLayers>();

}  // namespace

template AnyLayer<float> erase(Gru<float>);
template AnyLayer<float> erase(Lstm<float>);
template AnyLayer<double> erase(Gru<double>);
template AnyLayer<double> erase(Lstm<double>);

}  // namespace minrnn::conformance
