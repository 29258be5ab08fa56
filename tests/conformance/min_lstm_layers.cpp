// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<MinLstmLayers>();

}  // namespace

template AnyLayer<float> erase(MinLstm<float>);
template AnyLayer<float> erase(MinLstm<float, GateScaling::normalised, Candidate::plain>);
template AnyLayer<float> erase(MinLstm<float, GateScaling::normalised, Candidate::positive, Arithmetic::log_space>);
template AnyLayer<double> erase(MinLstm<double>);
template AnyLayer<double> erase(MinLstm<double, GateScaling::normalised, Candidate::plain>);
template AnyLayer<double> erase(MinLstm<double, GateScaling::normalised, Candidate::positive, Arithmetic::log_space>);

}  // namespace minrnn::conformance
