// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"

namespace minrnn {

/// What moves the parameters of a net by their gradients. A training that is written for any optimizer takes one as
///   template <SequenceLayer Net, Optimizer<Net> O> void train(Net& net, O& optimizer);
///   step(net, context)  one step. Returns whether all gradients are finite numbers, and what is not moves nothing;
///                       throws std::invalid_argument where the net is not the one that it was made for
///   steps()             how many there were
///   visit               what a checkpoint must hold, beside the parameters of the net, for a training to go on
template <class O, class Net>
concept Optimizer = Parameterised<Net> &&
    requires(O optimizer, const O fixed, Net& net, const Context& context, detail::AnyVisitor visitor) {
  { optimizer.step(net, context) } -> std::same_as<bool>;
  { fixed.steps() } -> std::convertible_to<std::int64_t>;
  O::visit(optimizer, Name{}, visitor);
  O::visit(fixed, Name{}, visitor);
};

}  // namespace minrnn
