// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<MinGruLayers>() && list_layers<MinGruInitialStateLayers>();

}  // namespace

template AnyLayer<float> erase(MinGru<float>);
template AnyLayer<float> erase(MinGru<float, Candidate::plain>);
template AnyLayer<float> erase(MinGru<float, Candidate::positive, Arithmetic::log_space>);
template AnyLayer<double> erase(MinGru<double>);
template AnyLayer<double> erase(MinGru<double, Candidate::plain>);
template AnyLayer<double> erase(MinGru<double, Candidate::positive, Arithmetic::log_space>);

}  // namespace minrnn::conformance
