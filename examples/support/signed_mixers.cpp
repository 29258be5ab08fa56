// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "support/erase.hpp"

namespace tool {

template AnyLayer erase(minrnn::SignedMinGru<float>);
template AnyLayer erase(minrnn::SignedMinLstm<float>);

}  // namespace tool
