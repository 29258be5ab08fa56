// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/kernels/bf16_product.hpp"
#include "minrnn/kernels/int8_product.hpp"

namespace minrnn::detail {

/// Y (rows, n) = bias + W X for a weight of few bits. Without a bias: an empty row. A column does not depend on its
/// neighbours, so step and infer give the same bits.
template <class S>
void multiply_narrow(const NarrowWeight<S>& w, const Columns<const std::type_identity_t<S>>& x,
                     Row<const std::type_identity_t<S>> bias, const Columns<std::type_identity_t<S>>& y) {
  if (w.is_bf16())
    Bf16Product<S>::multiply(w.bf16, x, bias, y);
  else
    Int8Product<S>::multiply(w.int8, w.scale.data(), x, bias, y);
}

}  // namespace minrnn::detail
