// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/erase.hpp"
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed =
    list_layers<FrameWiseLayers>() && list_layers<ActivationLayers>() && list_layers<ConvolutionLayers>();

}  // namespace

template AnyLayer<float> erase(Linear<float>);
template AnyLayer<float> erase(RmsNorm<float>);
template AnyLayer<float> erase(LayerNorm<float>);
template AnyLayer<float> erase(Dropout<float>);
template AnyLayer<float> erase(Mlp<float>);
template AnyLayer<float> erase(Activation<float>);
template AnyLayer<float> erase(Prelu<float>);
template AnyLayer<float> erase(Conv1d<float>);
template AnyLayer<float> erase(Unfold<float>);
template AnyLayer<double> erase(Linear<double>);
template AnyLayer<double> erase(RmsNorm<double>);
template AnyLayer<double> erase(LayerNorm<double>);
template AnyLayer<double> erase(Dropout<double>);
template AnyLayer<double> erase(Mlp<double>);
template AnyLayer<double> erase(Activation<double>);
template AnyLayer<double> erase(Prelu<double>);
template AnyLayer<double> erase(Conv1d<double>);
template AnyLayer<double> erase(Unfold<double>);

}  // namespace minrnn::conformance
