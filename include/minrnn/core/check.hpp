// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "minrnn/core/types.hpp"

/// Every public entry checks its arguments with these. The text of an error is built only when it is thrown, so a check
/// costs a comparison and never allocates on the way that succeeds.
///
/// What a failed check does: it throws std::invalid_argument, or without exceptions (-fno-exceptions) it prints nothing and
/// calls std::abort. To be told the message, with or without exceptions, compile everything with -DMINRNN_FAIL=name and
/// define a function of that name in one place; it must not return.
#ifdef MINRNN_FAIL
[[noreturn]] void MINRNN_FAIL(const char* message);
#endif

namespace minrnn::detail {

[[noreturn]] inline void fail([[maybe_unused]] const std::string& message) {
#if defined(MINRNN_FAIL)
  MINRNN_FAIL(message.c_str());
#elif defined(__cpp_exceptions)
  throw std::invalid_argument(message);
#else
  std::abort();
#endif
}

inline std::string text(std::string_view s) { return std::string(s); }
inline std::string text(Index n) { return std::to_string(n); }

/// "(64, 7, any)": a shape as the messages spell it; -1 stands for any size.
template <class... Sizes>
std::string shape_text(Sizes... sizes) {
  std::string result;
  ((result += (result.empty() ? "(" : ", ") + (sizes < 0 ? std::string("any") : std::to_string(sizes))), ...);
  return result + ")";
}

[[noreturn]] inline void throw_argument(std::string_view where, std::string_view argument, const std::string& wanted,
                                        const std::string& given) {
  fail(std::string(where) + ": " + std::string(argument) + ": wanted " + wanted + ", given " + given);
}

/// Throws std::invalid_argument "where: argument: wanted ..., given ..." unless `ok`.
template <class Wanted, class Given>
void check(bool ok, std::string_view where, std::string_view argument, const Wanted& wanted, const Given& given) {
  if (!ok) [[unlikely]]
    throw_argument(where, argument, text(wanted), text(given));
}

/// Throws unless size >= 1.
inline void check_size(std::string_view where, std::string_view argument, Index size) {
  check(size >= 1, where, argument, "a size of at least 1", size);
}

/// Throws unless a view has this many features and, where batch >= 0, this many sequences.
template <class View>
void check_sequence(std::string_view where, std::string_view argument, const View& view, Index features,
                    Index time = -1, Index batch = -1) {
  const bool ok = view.features() == features && (time < 0 || view.time() == time) &&
                  (batch < 0 || view.batch() == batch) && (view.data() != nullptr || view.size() == 0);
  if (!ok) [[unlikely]]
    throw_argument(where, argument, "(F, T, B) = " + shape_text(features, time, batch),
                   view.data() == nullptr && view.size() != 0 ? "a null pointer"
                                                              : shape_text(view.features(), view.time(), view.batch()));
}

template <class M>
void check_matrix(std::string_view where, std::string_view argument, const M& matrix, Index rows, Index columns) {
  if (matrix.rows() != rows || matrix.cols() != columns) [[unlikely]]
    throw_argument(where, argument, shape_text(rows, columns), shape_text(matrix.rows(), matrix.cols()));
}

}  // namespace minrnn::detail
