// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "support/erase.hpp"

namespace tool {

template AnyLayer erase(minrnn::Gru<float>);
template AnyLayer erase(minrnn::Lstm<float>);
template AnyLayer erase(minrnn::Mamba<float>);
template AnyLayer erase(minrnn::Attention<float>);

}  // namespace tool
