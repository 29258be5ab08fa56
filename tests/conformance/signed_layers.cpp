// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<SignedLayers>();

}  // namespace

template AnyLayer<float> erase(SignedMinGru<float>);
template AnyLayer<float> erase(SignedMinLstm<float>);
template AnyLayer<float> erase(SignedMinLstm<float, GateScaling::unnormalised>);
template AnyLayer<double> erase(SignedMinGru<double>);
template AnyLayer<double> erase(SignedMinLstm<double>);
template AnyLayer<double> erase(SignedMinLstm<double, GateScaling::unnormalised>);

}  // namespace minrnn::conformance
