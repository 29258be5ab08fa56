// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "support/erase.hpp"

namespace tool {

template AnyLayer erase(minrnn::MinGru<float>);
template AnyLayer erase(minrnn::MinLstm<float>);
template AnyLayer erase(minrnn::Sequential<minrnn::Named<"up", minrnn::Linear<float>>,
                                           minrnn::Named<"highway", minrnn::Highway<AnyLayer>>>);

}  // namespace tool
