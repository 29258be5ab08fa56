// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/math/scaled.hpp"

namespace minrnn::detail {

/// One step of a cell whose gates see only the input: h_t = decay h_{t-1} + input, in numbers P or Scaled<P>, and what
/// backward needs of it, one packet for each gate.
template <class Number, class Kept>
struct ScanStep {
  Number decay, input;
  Kept kept;
};

/// The derivatives of a step by the pre-activations of its gates, by h_{t-1} and by the diagonal weights.
template <class P, Index gates, Index diagonals = 0>
struct ScanAdjoint {
  Array<P, gates> dk;
  P dh_before;
  Array<P, diagonals> ddiagonal{};
};

/// The equations of a cell whose gates see only the input. What a layer and a cell for it are made of:
///
///   kCount, kName, kWeights, kBiases    how many gates, and the names of the layer and of its parameters
///   kForgetBias                         what MinimalOptions::forget_bias adds to each bias, times this
///   kDiagonals, kDiagonalWeights        how many weights of one number for each channel, most often none, their names
///   arithmetic, Linear                  linear or log_space, and the same gates in linear arithmetic
///   prepare(diagonal)                   what of the diagonal weights alone is computed once for many steps
///   forward(k, prepared)                ScanStep from the pre-activations k of a packet of features
///   backward(kept, h_before, delta, prepared)
///                                       ScanAdjoint from what forward kept, h_{t-1} and delta = dL/dh_t
///   decay(kept, prepared)               dh_t / dh_{t-1} again
///   candidate(k), slope(h~)             g and its derivative: a learned h_0 is g of its parameter
///
/// Of products, what is small comes first: a gate that is shut meets large numbers before they meet each other.
template <class G>
concept ScanGates = requires {
  typename G::Linear;
}
&&requires(Array<Packet<float>, G::kCount> k, Packet<float> p, Array<Packet<float>, G::kDiagonals> diagonal) {
  { G::kName } -> std::convertible_to<std::string_view>;
  { G::kWeights[0] } -> std::convertible_to<std::string_view>;
  { G::kBiases[0] } -> std::convertible_to<std::string_view>;
  { G::kForgetBias[0] } -> std::convertible_to<double>;
  { G::kDiagonalWeights } -> std::convertible_to<Array<DiagonalWeight, G::kDiagonals>>;
  { G::arithmetic } -> std::convertible_to<Arithmetic>;
  { G::forward(k, G::prepare(diagonal)).kept } -> std::convertible_to<Array<Packet<float>, G::kCount>>;
  { G::backward(k, p, p, G::prepare(diagonal)) } -> std::same_as<ScanAdjoint<Packet<float>, G::kCount, G::kDiagonals>>;
  { G::decay(k, G::prepare(diagonal)) } -> std::same_as<Packet<float>>;
  { G::slope(G::candidate(p)) } -> std::same_as<Packet<float>>;
};

}  // namespace minrnn::detail
