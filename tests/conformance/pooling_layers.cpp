// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<PoolingLayers>();

}  // namespace

template AnyLayer<double> erase(RunningMean<double>);
template AnyLayer<double> erase(RunningMax<double>);

}  // namespace minrnn::conformance
