// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "support/erase.hpp"

namespace tool {

template AnyLayer erase(minrnn::DiagonalGru<float>);
template AnyLayer erase(minrnn::DiagonalLstm<float>);
template AnyLayer erase(minrnn::RgLru<float>);

}  // namespace tool
