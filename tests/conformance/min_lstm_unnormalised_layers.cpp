// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<MinLstmUnnormalisedLayers>();

}  // namespace

template AnyLayer<float> erase(MinLstm<float, GateScaling::unnormalised>);
template AnyLayer<float> erase(MinLstm<float, GateScaling::unnormalised, Candidate::plain>);
template AnyLayer<float> erase(MinLstm<float, GateScaling::unnormalised, Candidate::positive, Arithmetic::log_space>);
template AnyLayer<double> erase(MinLstm<double, GateScaling::unnormalised>);
template AnyLayer<double> erase(MinLstm<double, GateScaling::unnormalised, Candidate::plain>);
template AnyLayer<double> erase(MinLstm<double, GateScaling::unnormalised, Candidate::positive, Arithmetic::log_space>);

}  // namespace minrnn::conformance
