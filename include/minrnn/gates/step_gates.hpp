// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "minrnn/core/types.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// The memory cell at a step: c_{t-1}, c_t and what reaches c_t from the steps after t.
template <class P>
struct StepCell {
  P before, after, d;
};

/// The derivatives of a step by p and q of its gates, and by what of the state before it sees feature by feature: h, or
/// c where there is one. What reaches h through q is left out: it is W_hh^T dq.
template <class P, Index gates>
struct StepAdjoint {
  Array<P, gates> dp, dq;
  P d_before;
};

/// The equations of a cell whose gates see the state before, for a packet of features: what `Recurrent` makes a layer
/// of. It computes p = W_ih x_t + b_ih and q = W_hh h_{t-1} + b_hh, a packet of each for every gate.
///
///   kName                           the name of the layer
///   kCount, kKept                   how many gates, and how many packets of a step backward needs
///   kHasCell                        whether the state is h and c, or h alone
///   kSeesSum                        whether the gates see p + q alone, so that dq = dp
///
/// Without a cell:
///   forward(p, q, h_before)         {h, kept}: h_t from h_{t-1}
///   backward(kept, h_before, dh)    StepAdjoint from what forward kept, h_{t-1} and dh = dL/dh_t
///
/// With a cell, which is all that the gates see of the state before but for q:
///   forward(p, q, c_before)         {h, c, kept}: h_t and c_t from c_{t-1}
///   backward(kept, cell, dh)        StepAdjoint from what forward kept, StepCell and dh = dL/dh_t
template <class G>
concept StepGates = requires(Array<Packet<float>, G::kCount> p, Array<Packet<float>, G::kKept> kept,
                             Packet<float> before, Packet<float> dh,
                             std::conditional_t<G::kHasCell, StepCell<Packet<float>>, Packet<float>> passed) {
  { G::kName } -> std::convertible_to<std::string_view>;
  { G::kSeesSum } -> std::convertible_to<bool>;
  { G::forward(p, p, before).h } -> std::convertible_to<Packet<float>>;
  { G::forward(p, p, before).kept } -> std::convertible_to<Array<Packet<float>, G::kKept>>;
  { G::backward(kept, passed, dh) } -> std::same_as<StepAdjoint<Packet<float>, G::kCount>>;
};

}  // namespace minrnn::detail
