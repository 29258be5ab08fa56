// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "minrnn/core/message.hpp"
#include "minrnn/core/types.hpp"

/// Every public entry checks its arguments with these. The text of an error is built only when it is thrown, so a check
/// costs a comparison and never allocates on the way that succeeds.
///
/// What a failed check does: it throws std::invalid_argument, or without exceptions (-fno-exceptions) it prints nothing
/// and calls std::abort. To be told the message, with or without exceptions, compile everything with -DMINRNN_FAIL=name
/// and define a function of that name in one place; it must not return.
#ifdef MINRNN_FAIL
[[noreturn]] void MINRNN_FAIL(const char* message);
#endif

namespace minrnn::detail {

/// What a failed check throws. In a net it begins with the path to the part that it comes from, which each layer of
/// layers on the way out puts before it, the innermost first: "1/mix/mixer: MinGru: state.h: wanted ..., given ...".
class ArgumentError : public std::invalid_argument {
 public:
  explicit ArgumentError(const std::string& message, bool has_path = false)
      : std::invalid_argument(message), has_path_(has_path) {}

  MINRNN_COLD void put_before(Said part) {
    std::string message;
    Said{part, has_path_ ? "/" : ": ", what()}.add_to(message);
    std::invalid_argument::operator=(std::invalid_argument(message));
    has_path_ = true;
  }

 private:
  bool has_path_;
};

[[noreturn]] inline void fail([[maybe_unused]] const std::string& message, [[maybe_unused]] bool has_path = false) {
#if defined(MINRNN_FAIL)
  MINRNN_FAIL(message.c_str());
#elif defined(__cpp_exceptions)
  throw ArgumentError(message, has_path);
#else
  std::abort();
#endif
}

/// call(), in which a part of a net does its work: its name or number goes before what a check says that fails there.
/// Costs nothing where none fails. What MINRNN_FAIL is told has no path.
template <class Part, class Call>
MINRNN_INLINE decltype(auto) in_part([[maybe_unused]] Part part, const Call& call) {
#if defined(__cpp_exceptions)
  try {
    return call();
  } catch (ArgumentError& error) {
    error.put_before(part);
    throw;
  }
#else
  return call();
#endif
}

[[noreturn]] MINRNN_COLD inline void throw_argument(std::string_view where, Said argument, Said wanted, Said given) {
  std::string message(where);
  message += ": ";
  argument.add_to(message);
  message += ": wanted ";
  wanted.add_to(message);
  message += ", given ";
  given.add_to(message);
  fail(message);
}

/// Throws std::invalid_argument "where: argument: wanted ..., given ..." unless `ok`.
MINRNN_INLINE void check_that(bool ok, std::string_view where, Said argument, Said wanted, Said given) {
  if (!ok) [[unlikely]]
    throw_argument(where, argument, wanted, given);
}

/// The largest size of a layer. Small multiples of it, as the rows of all gates, are far from the end of an Index.
inline constexpr Index kMostSize = Index{1} << (std::numeric_limits<Index>::digits >= 63 ? 40 : 21);

/// Throws unless 1 <= size <= kMostSize.
MINRNN_NOINLINE inline void check_size(std::string_view where, std::string_view argument, Index size) {
  check_that(size >= 1, where, argument, "a size of at least 1", size);
  check_that(size <= kMostSize, where, argument, {"a size of at most ", kMostSize}, size);
}

/// Throws where the product of two sizes is above kMostSize.
inline void check_product(std::string_view where, std::string_view argument, Index a, Index b) {
  check_that(a <= kMostSize / b, where, argument, {"a product of at most ", kMostSize}, {a, " times ", b});
}

[[noreturn]] MINRNN_COLD inline void throw_neighbours(Said part, Index takes, Index given) {
  std::string message;
  Said{part, ": x: wanted ", takes, " features, given ", given}.add_to(message);
  fail(message, true);
}
/// Throws unless a part of a net takes as many features as the part before it gives.
inline void check_neighbours(Said part, Index takes, Index given) {
  if (takes != given) [[unlikely]]
    throw_neighbours(part, takes, given);
}

/// Throws unless there may be so many sequences.
inline void check_batch(std::string_view where, Index batch) {
  check_that(batch >= 0, where, "batch", "at least 0 sequences", batch);
}

MINRNN_COLD inline bool large_is_beyond_memory(Index features, Index time, Index batch) {
  if (features < 0 || time < 0 || batch < 0) return true;
  if (features == 0 || time == 0 || batch == 0) return false;
  constexpr Index kMost = (std::numeric_limits<Index>::max)() / 16;  // scalars of up to 16 bytes
  return features > kMost / time || features * time > kMost / batch;
}
/// True where a block of such sizes is none that memory could hold, or a size is negative.
inline bool beyond_memory(Index features, Index time, Index batch) {
  // The product of three sizes of so many bits is far below the largest Index.
  constexpr int kBits = (std::numeric_limits<Index>::digits - 4) / 3;
  return ((features | time | batch) >> kBits) != 0 && large_is_beyond_memory(features, time, batch);
}

// What a hot path throws stands in functions of its own, which take numbers: a closure would keep them in memory.
[[noreturn]] MINRNN_COLD inline void throw_block(std::string_view where, Index features, Index time, Index batch) {
  throw_argument(where, "(F, T, B)", "sizes of at least 0 that memory can hold", list_text({features, time, batch}));
}
[[noreturn]] MINRNN_COLD inline void throw_index(std::string_view where, std::string_view argument, Index size,
                                                 Index given) {
  throw_argument(where, argument, {"at least 0 and below ", size}, given);
}

/// Throws unless (F, T, B) are sizes that a block may have.
inline void check_block(std::string_view where, Index features, Index time, Index batch) {
  if (beyond_memory(features, time, batch)) [[unlikely]]
    throw_block(where, features, time, batch);
}

/// Throws unless 0 <= index < size.
inline void check_index(std::string_view where, std::string_view argument, Index index, Index size) {
  if (index < 0 || index >= size) [[unlikely]]
    throw_index(where, argument, size, index);
}

[[noreturn]] MINRNN_COLD inline void throw_sequence(std::string_view where, std::string_view argument, bool is_null,
                                                    Index features, Index time, Index batch, Index given_features,
                                                    Index given_time, Index given_batch) {
  throw_argument(where, argument, {"(F, T, B) = ", shape_text(features, time, batch)},
                 is_null ? "a null pointer" : shape_text(given_features, given_time, given_batch));
}
[[noreturn]] MINRNN_COLD inline void throw_matrix(std::string_view where, Said argument, Index rows, Index columns,
                                                  Index given_rows, Index given_columns) {
  throw_argument(where, argument, shape_text(rows, columns), shape_text(given_rows, given_columns));
}

/// Throws unless a view has this many features and, where batch >= 0, this many sequences.
template <class View>
void check_sequence(std::string_view where, std::string_view argument, const View& view, Index features,
                    Index time = -1, Index batch = -1) {
  const bool ok = view.features() == features && (time < 0 || view.time() == time) &&
                  (batch < 0 || view.batch() == batch) && (view.data() != nullptr || view.size() == 0);
  if (!ok) [[unlikely]]
    throw_sequence(where, argument, view.data() == nullptr && view.size() != 0, features, time, batch, view.features(),
                   view.time(), view.batch());
}

/// Throws unless x is an argument for a layer of this many features; one that was moved from has none.
template <class View>
void check_input(std::string_view where, const View& x, Index features) {
  if (features < 1) [[unlikely]]
    throw_argument(where, "layer", "one with its parameters", "one that was moved from");
  check_sequence(where, "x", x, features);
}

template <class M>
void check_matrix(std::string_view where, std::string_view argument, const M& matrix, Index rows, Index columns) {
  if (matrix.rows() != rows || matrix.cols() != columns) [[unlikely]]
    throw_matrix(where, argument, rows, columns, matrix.rows(), matrix.cols());
}

}  // namespace minrnn::detail
