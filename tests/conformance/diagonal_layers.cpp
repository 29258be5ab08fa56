// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed = list_layers<DiagonalLayers>();

}  // namespace

template AnyLayer<float> erase(DiagonalGru<float>);
template AnyLayer<float> erase(DiagonalLstm<float>);
template AnyLayer<float> erase(RgLru<float>);
template AnyLayer<double> erase(DiagonalGru<double>);
template AnyLayer<double> erase(DiagonalLstm<double>);
template AnyLayer<double> erase(RgLru<double>);

}  // namespace minrnn::conformance
