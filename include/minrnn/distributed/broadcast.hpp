// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"

namespace minrnn {

namespace detail {
/// Calls body(name, numbers) for what a thing holds, as a checkpoint does: numbers, matrices, the values of parameters,
/// and what things with a visit hold.
template <class T, class Body>
void for_state(T& thing, const Name& name, const Body& body) {
  if constexpr (std::is_arithmetic_v<std::remove_const_t<T>>)
    body(name, std::span(&thing, 1));
  else if constexpr (requires { thing.value.data(); })
    for_state(thing.value, name, body);
  else if constexpr (requires { thing.data(); })
    body(name, std::span(thing.data(), static_cast<std::size_t>(thing.size())));
  else
    std::remove_const_t<T>::visit(thing, name, [&](const Name& inner, auto& part) { for_state(part, inner, body); });
}
}  // namespace detail

/// Gives all ranks what rank 0 has in a thing, which may be whatever `save_checkpoint` takes: a layer, an optimizer,
/// the state of a layer, a struct with a visit. On all ranks it must hold as many numbers. To be called by all of them.
/// Throws std::invalid_argument where the number of ranks is no power of two, and what the communicator throws.
template <class T>
void broadcast(Communicator& ranks, T&& thing) {
  detail::for_state(thing, Name{}, [&](const Name&, auto numbers) {
    detail::broadcast_numbers(ranks, numbers.data(), static_cast<Index>(numbers.size()));
  });
}

}  // namespace minrnn
