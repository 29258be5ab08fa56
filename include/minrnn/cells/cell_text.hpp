// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

#include "minrnn/core/types.hpp"

namespace minrnn::detail {

/// A text that is put together while the compiler runs. Beyond its capacity it only counts.
template <std::size_t capacity>
struct FixedText {
  char characters[capacity + 1] = {};
  std::size_t size = 0;

  constexpr void add(char c) {
    if (size < capacity) characters[size] = c;
    ++size;
  }
  constexpr void add(std::string_view text) {
    for (const char c : text) add(c);
  }
  constexpr void add(Index number) {
    if (number >= 10) add(number / 10);
    add(static_cast<char>('0' + number % 10));
  }
  /// "MinGru(1, 16)"
  template <std::same_as<Index>... More>
  constexpr void add_call(std::string_view name, Index first, More... more) {
    add(name);
    add('(');
    add(first);
    ((add(", "), add(more)), ...);
    add(')');
  }
  constexpr std::string_view text() const { return {characters, size}; }
};

template <class Form>
constexpr std::size_t description_size() {
  FixedText<0> text;
  Form::describe(text);
  return text.size;
}
/// What a form says of itself, "(MinGru(1, 16), Linear(16, 1))".
template <class Form>
constexpr FixedText<description_size<Form>()> description() {
  FixedText<description_size<Form>()> text;
  Form::describe(text);
  return text;
}

}  // namespace minrnn::detail
