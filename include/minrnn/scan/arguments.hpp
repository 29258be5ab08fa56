// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string_view>

#include "minrnn/core/check.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn::detail {

/// Arguments, by the names that messages give them.
template <class S>
struct NamedSequence {
  std::string_view name;
  SequenceView<const S> view;
};
template <class S>
struct NamedStates {
  std::string_view name;
  const Matrix<S>& states;
};

/// Throws unless all sequences have the shape (H, T, B) of the first, and all states (H, B) fit it.
template <class S>
void check_scan(std::string_view where, std::initializer_list<NamedSequence<S>> sequences,
                std::initializer_list<NamedStates<S>> all_states) {
  const SequenceView<const S> first = sequences.begin()->view;
  for (const auto& [name, view] : sequences)
    check_sequence(where, name, view, first.features(), first.time(), first.batch());
  for (const auto& [name, states] : all_states) check_matrix(where, name, states, first.features(), first.batch());
}

}  // namespace minrnn::detail
