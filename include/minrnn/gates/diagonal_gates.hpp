// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string_view>

#include "minrnn/core/types.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// One step of a cell whose gates see their own channel of the state before: the state after it, h and then what else
/// there is, and what backward needs, one packet for each gate.
template <class P, Index states, Index gates>
struct DiagonalStep {
  Array<P, states> state;
  Array<P, gates> kept;
};

/// The derivatives of a step by the pre-activations of its gates, by the diagonal weights and by the state before.
template <class P, Index states, Index gates, Index diagonals>
struct DiagonalAdjoint {
  Array<P, gates> dk;
  Array<P, diagonals> ddiagonal;
  Array<P, states> dbefore;
};

/// The equations of a cell whose gates see the state through diagonal weights. All products are of the input, k = W x_t
/// + b, and may be computed for many t at once; the steps themselves must be walked. What a layer and a cell for it are
/// made of:
///
///   kCount, kName, kWeights, kBiases          how many gates, and the names of the layer and of its parameters
///   kDiagonals, kDiagonalWeights              how many diagonal weights, their names and whose they are
///   kForgetBias                               how a bias of forgetting is added to that of the first gate, 1 or -1
///   kStates                                   1: the state is h;  2: it is h and c
///   forward(k, before, diagonal)              DiagonalStep from k of a packet of channels
///   backward(kept, before, after, d, diagonal)  DiagonalAdjoint from what forward kept, the states and
///                                             d = dL/d(state after)
///
/// Of products, what is small comes first: a gate that is shut meets large numbers before they meet each other.
template <class G>
concept DiagonalGates = requires(Array<Packet<float>, G::kCount> k, Array<Packet<float>, G::kStates> state,
                                 Array<Packet<float>, G::kDiagonals> diagonal) {
  { G::kName } -> std::convertible_to<std::string_view>;
  { G::kWeights[0] } -> std::convertible_to<std::string_view>;
  { G::kBiases[0] } -> std::convertible_to<std::string_view>;
  { G::kForgetBias } -> std::convertible_to<double>;
  { G::kDiagonalWeights } -> std::convertible_to<Array<DiagonalWeight, G::kDiagonals>>;
  { G::forward(k, state, diagonal) } -> std::same_as<DiagonalStep<Packet<float>, G::kStates, G::kCount>>;
  {
    G::backward(k, state, state, state, diagonal)
    } -> std::same_as<DiagonalAdjoint<Packet<float>, G::kStates, G::kCount, G::kDiagonals>>;
};

}  // namespace minrnn::detail
