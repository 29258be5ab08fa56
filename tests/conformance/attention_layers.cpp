// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<AttentionLayers>();

}  // namespace

template AnyLayer<float> erase(Attention<float>);
template AnyLayer<double> erase(Attention<double>);

}  // namespace minrnn::conformance
