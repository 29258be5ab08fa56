// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/cell_text.hpp"
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

namespace detail {

/// The shortest decimal digits that a compiler reads as this number again.
template <class S>
std::string literal_of(S number) {
  char digits[64];
  std::string text(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  if constexpr (std::is_same_v<S, float>) text += 'f';
  return text;
}

inline std::string literal_of(std::int8_t number) { return std::to_string(int{number}); }
inline std::string literal_of(std::uint16_t bits) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x0000";
  for (std::size_t i = 5; bits > 0; --i, bits = static_cast<std::uint16_t>(bits >> 4)) text[i] = kDigits[bits & 15];
  return text;
}

/// The type of an array of numbers.
template <class T>
constexpr const char* name_of_type() {
  if constexpr (std::is_same_v<T, std::int8_t>)
    return "std::int8_t";
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return "std::uint16_t";
  else
    return std::is_same_v<T, float> ? "float" : "double";
}

/// Numbers of a list, in lines of at most 120 columns.
template <class S>
void write_numbers(std::ostream& out, const S* first, const S* last) {
  std::string line = "     ";
  for (; first != last; ++first) {
    const std::string literal = ' ' + literal_of(*first) + ',';
    if (line.size() + literal.size() > 120) {
      out << line << '\n';
      line = "     ";
    }
    line += literal;
  }
  if (line.size() > 5) out << line << '\n';
}

/// The weights of one cell among those of a header.
struct HeaderPart {
  std::string path;  // its number in the chain, "0/1"
  std::string cell;  // what it says of itself, "MinGru(1, 16)"
  std::string_view layout;
  WeightsSize offset, size;
};

/// What a header is written from, sizes known at run time. Weights are a pointer to scalars, or a `NarrowPointer`.
template <class Weights>
struct HeaderContent {
  std::string cells;  // what the chain says of itself
  Weights weights;    // `size` of them
  WeightsSize size;
  std::vector<HeaderPart> parts;
  std::string usage, constants;  // lines of the caller's: comments in front of the struct; members of it
};

/// A text as a literal, in lines of at most 120 columns.
inline void write_literal(std::ostream& out, std::string_view text) {
  constexpr std::size_t kMost = 111;
  while (text.size() > kMost) {
    const std::size_t end = text.substr(0, kMost).find_last_of(' ') + 1;
    if (end == 0) break;
    out << "      \"" << text.substr(0, end) << "\"\n";
    text.remove_prefix(end);
  }
  out << "      \"" << text << '"';
}

/// A part for each form that is not made of others, with where its weights are.
template <class Form>
void add_parts(std::type_identity<Form>, const std::string& path, WeightsSize offset, std::vector<HeaderPart>& parts) {
  parts.push_back({path, std::string(description<Form>().text()), Form::kLayout, offset, Form::kWeights});
}
template <class Inner>
void add_parts(std::type_identity<ResidualForm<Inner>>, const std::string& path, WeightsSize offset,
               std::vector<HeaderPart>& parts) {
  add_parts(std::type_identity<Inner>{}, path, offset, parts);
}
template <class... Forms>
void add_parts(std::type_identity<ChainForm<Forms...>>, const std::string& path, WeightsSize offset,
               std::vector<HeaderPart>& parts) {
  using Chain = ChainForm<Forms...>;
  Chain::for_each([&](auto i) {
    const std::string name(Digits(static_cast<Index>(i)).text());
    add_parts(std::type_identity<typename Chain::template Form<i>>{}, path.empty() ? name : path + '/' + name,
              offset + Chain::offset(i), parts);
  });
}

/// Whether this is an identifier, or several with :: between them.
inline bool names_a_namespace(std::string_view name) {
  bool begins = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_', digit = c >= '0' && c <= '9';
    if (!begins && name.substr(i).starts_with("::")) {
      begins = true;
      ++i;
      continue;
    }
    if (!letter && (begins || !digit)) return false;
    begins = false;
  }
  return !begins;
}

/// One array of a header. in_array(size) says how many of its numbers a size has.
template <class T, class Weights, class InArray>
void write_array(std::ostream& out, const char* name, const T* numbers, const HeaderContent<Weights>& content,
                 InArray&& in_array) {
  constexpr bool kHasLayout = !std::is_integral_v<T>;  // elements of few bits are matrices alone
  // Sizes as `Digits`: a stream may have a locale that groups thousands.
  const Index size = in_array(content.size);
  out << "  alignas(64) static constexpr " << name_of_type<T>() << ' ' << name << '[' << Digits(size + kSlack).text()
      << "] = {\n";
  Index end = 0;
  for (const HeaderPart& part : content.parts) {
    const Index first = in_array(part.offset);
    write_numbers(out, numbers + end, numbers + first);
    end = first + in_array(part.size);
    if (first == end) continue;
    out << "      // " << part.path << (part.path.empty() ? "" : ": ") << part.cell << " from " << Digits(first).text()
        << " on" << (kHasLayout ? ": " : "") << (kHasLayout ? part.layout : "") << '\n';
    write_numbers(out, numbers + first, numbers + end);
  }
  out << "      // Nothing.\n";
  write_numbers(out, numbers + end, numbers + size);
  const T nothing[kSlack] = {};
  write_numbers(out, nothing, nothing + kSlack);
  out << "  };\n";
}

/// "  // 40 numbers, and 32 behind them that a step may read and that mean nothing."
inline void write_count(std::ostream& out, Index count, std::string_view what) {
  out << "  // " << Digits(count).text() << ' ' << what << ", and " << Digits(kSlack).text()
      << " behind them that a step may read and that mean nothing.\n";
}

template <class S>
void write_arrays(std::ostream& out, const HeaderContent<const S*>& content) {
  write_count(out, content.size.full, "numbers");
  write_array(out, "kValues", content.weights, content, [](WeightsSize n) { return n.full; });
}
template <class S, class T>
void write_arrays(std::ostream& out, const HeaderContent<NarrowPointer<const S, const T>>& content) {
  using Pointer = NarrowPointer<const S, const T>;
  write_count(out, content.size.elements, "elements of the matrices W");
  write_array(out, "kElements", content.weights.elements, content, [](WeightsSize n) { return n.elements; });
  out << "  // All else; "
      << (Pointer::kHasScales ? "the scales of the rows of a W stand where it would be.\n" : "a W is not in it.\n");
  write_count(out, Pointer::numbers_of(content.size), "numbers");
  write_array(out, "kNumbers", content.weights.numbers, content, Pointer::numbers_of);
}

/// Throws std::invalid_argument as `write_weights_header`.
template <class S, class Weights>
void write_header(std::ostream& out, const HeaderContent<Weights>& content, std::string_view namespace_name) {
  constexpr const char* kWhere = "write_weights_header";
  check_that(names_a_namespace(namespace_name), kWhere, "namespace_name", "identifiers, :: between them",
             namespace_name);
  const S* const numbers = content.weights;
  const S* const end = content.weights + content.size;
  check_that(std::all_of(numbers, end, [](S w) { return is_finite(w); }), kWhere, "weights", "finite numbers",
             "one that is not");
  out << "// The weights of a model for the cells of minrnn, written by minrnn::write_weights_header.\n"
      << content.usage << "#pragma once\n\n";
  if constexpr (!std::is_pointer_v<Weights>) out << "#include <cstdint>\n\n";
  out << "namespace " << namespace_name << " {\n\nstruct Weights {\n"
      << "  // What the weights are for; a minrnn::CellView of these cells takes them.\n"
      << "  static constexpr char kCells[] =\n";
  write_literal(out, content.cells);
  out << ";\n" << content.constants;
  write_arrays(out, content);
  out << "};\n\n}  // namespace " << namespace_name << '\n';
  check_that(out.good(), kWhere, "out", "a stream that takes what is written", "one that fails");
}

}  // namespace detail

/// Writes the weights of a cell or a `CellChain` as a header of C++17, for programs that have them in read-only memory
/// and step with a `CellView`. The struct `namespace_name`::Weights has
///
///   kCells      what the weights are for, "(MinGru(1, 16), Linear(16, 1))", which a `CellView` compares with its own
///   kValues     the weights as a step reads them: W of all gates, column after column, then b; each cell of a chain
///               begins at a multiple of 16 numbers. They are the shortest decimal digits that give back every bit
///
/// and of a `QuantisedCell`, which says kCells = "int8 (MinGru(1, 16), Linear(16, 1))", instead of these
///
///   kElements   of 8 or 16 bits, the matrices W
///   kNumbers    all else, the scales of rows among it: cells/narrow_weights.hpp
///
/// Throws      std::invalid_argument for a name that is none, a weight that is not finite, a stream that fails
template <class Cell>
void write_weights_header(std::ostream& out, const Cell& cell, std::string_view namespace_name) {
  using OfCell = typename Cell::Elsewhere::Form;
  detail::HeaderContent<decltype(cell.weights())> content{
      std::string(detail::description<typename Cell::Elsewhere>().text()),
      cell.weights(),
      OfCell::kWeights,
      {},
      {},
      {}};
  detail::add_parts(std::type_identity<OfCell>{}, "", {}, content.parts);
  detail::write_header<typename Cell::Scalar>(out, content, namespace_name);
}

}  // namespace minrnn
