// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "minrnn/cells/cell.hpp"
#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/cell_text.hpp"
#include "minrnn/cells/residual_cell.hpp"
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
  Index offset = 0, size = 0;
};

/// What a header is written from, sizes known at run time.
template <class S>
struct HeaderContent {
  std::string cells;  // what the chain says of itself
  const S* weights;   // `size` of them
  Index size;
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
void add_parts(std::type_identity<Form>, const std::string& path, Index offset, std::vector<HeaderPart>& parts) {
  parts.push_back({path, std::string(description<Form>().text()), Form::kLayout, offset, Form::kWeights});
}
template <class Inner>
void add_parts(std::type_identity<ResidualForm<Inner>>, const std::string& path, Index offset,
               std::vector<HeaderPart>& parts) {
  add_parts(std::type_identity<Inner>{}, path, offset, parts);
}
template <class... Forms>
void add_parts(std::type_identity<ChainForm<Forms...>>, const std::string& path, Index offset,
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

/// Throws std::invalid_argument as `write_weights_header`.
template <class S>
void write_header(std::ostream& out, const HeaderContent<S>& content, std::string_view namespace_name) {
  constexpr const char* kWhere = "write_weights_header";
  check_that(names_a_namespace(namespace_name), kWhere, "namespace_name", "identifiers, :: between them",
             namespace_name);
  const S* const weights = content.weights;
  check_that(std::all_of(weights, weights + content.size, [](S w) { return is_finite(w); }), kWhere, "weights",
             "finite numbers", "one that is not");
  // Sizes as `Digits`: a stream may have a locale that groups thousands.
  out << "// The weights of a model for the cells of minrnn, written by minrnn::write_weights_header.\n"
      << content.usage << "#pragma once\n\nnamespace " << namespace_name << " {\n\nstruct Weights {\n"
      << "  // What the weights are for; a minrnn::CellView of these cells takes them.\n"
      << "  static constexpr char kCells[] =\n";
  write_literal(out, content.cells);
  out << ";\n"
      << content.constants << "  // " << Digits(content.size).text() << " numbers, and " << Digits(kSlack).text()
      << " behind them that a step may read and that mean nothing.\n"
      << "  alignas(64) static constexpr " << (std::is_same_v<S, float> ? "float" : "double") << " kValues["
      << Digits(content.size + kSlack).text() << "] = {\n";
  Index end = 0;
  for (const HeaderPart& part : content.parts) {
    write_numbers(out, weights + end, weights + part.offset);
    end = part.offset + part.size;
    out << "      // " << part.path << (part.path.empty() ? "" : ": ") << part.cell << " from "
        << Digits(part.offset).text() << " on: " << part.layout << '\n';
    write_numbers(out, weights + part.offset, weights + end);
  }
  out << "      // Nothing.\n";
  write_numbers(out, weights + end, weights + content.size);
  const S nothing[kSlack] = {};
  write_numbers(out, nothing, nothing + kSlack);
  out << "  };\n};\n\n}  // namespace " << namespace_name << '\n';
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
/// Throws      std::invalid_argument for a name that is none, a weight that is not finite, a stream that fails
template <class Cell>
void write_weights_header(std::ostream& out, const Cell& cell, std::string_view namespace_name) {
  using OfCell = typename Cell::Form;
  detail::HeaderContent<typename Cell::Scalar> content{
      std::string(detail::description<OfCell>().text()), cell.weights(), OfCell::kWeights, {}, {}, {}};
  detail::add_parts(std::type_identity<OfCell>{}, "", 0, content.parts);
  detail::write_header(out, content, namespace_name);
}

}  // namespace minrnn
