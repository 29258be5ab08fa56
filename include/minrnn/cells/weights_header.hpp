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

/// Calls body(path, form, offset) for each form that is not made of others, with where its weights are.
template <class Form, class Body>
void for_each_leaf(std::type_identity<Form> form, const std::string& path, Index offset, const Body& body) {
  body(path, form, offset);
}
template <class Inner, class Body>
void for_each_leaf(std::type_identity<ResidualForm<Inner>>, const std::string& path, Index offset, const Body& body) {
  for_each_leaf(std::type_identity<Inner>{}, path, offset, body);
}
template <class... Forms, class Body>
void for_each_leaf(std::type_identity<ChainForm<Forms...>>, const std::string& path, Index offset, const Body& body) {
  using Chain = ChainForm<Forms...>;
  Chain::for_each([&](auto i) {
    const std::string name(Digits(static_cast<Index>(i)).text());
    for_each_leaf(std::type_identity<typename Chain::template Form<i>>{}, path.empty() ? name : path + '/' + name,
                  offset + Chain::offset(i), body);
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
  using Form = typename Cell::Form;
  using S = typename Cell::Scalar;
  constexpr const char* kWhere = "write_weights_header";
  detail::check_that(detail::names_a_namespace(namespace_name), kWhere, "namespace_name",
                     "identifiers, :: between them", namespace_name);
  const S* const weights = cell.weights();
  detail::check_that(std::all_of(weights, weights + Form::kWeights, [](S w) { return detail::is_finite(w); }), kWhere,
                     "weights", "finite numbers", "one that is not");
  // Sizes as `Digits`: a stream may have a locale that groups thousands.
  out << "// The weights of a model for the cells of minrnn, written by minrnn::write_weights_header.\n"
      << "#pragma once\n\nnamespace " << namespace_name << " {\n\nstruct Weights {\n"
      << "  // What the weights are for; a minrnn::CellView of these cells takes them.\n"
      << "  static constexpr char kCells[] =\n      \"" << detail::description<Form>().text() << "\";\n"
      << "  // " << detail::Digits(Form::kWeights).text() << " numbers, and " << detail::Digits(detail::kSlack).text()
      << " behind them that a step may read and that mean nothing.\n"
      << "  alignas(64) static constexpr " << (std::is_same_v<S, float> ? "float" : "double") << " kValues["
      << detail::Digits(Form::kWeights + detail::kSlack).text() << "] = {\n";
  Index end = 0;
  detail::for_each_leaf(std::type_identity<Form>{}, "", 0, [&](const std::string& path, auto form, Index offset) {
    using Leaf = typename decltype(form)::type;
    detail::write_numbers(out, weights + end, weights + offset);
    end = offset + Leaf::kWeights;
    out << "      // " << path << (path.empty() ? "" : ": ") << detail::description<Leaf>().text() << " from "
        << detail::Digits(offset).text() << " on: " << Leaf::kLayout << '\n';
    detail::write_numbers(out, weights + offset, weights + end);
  });
  out << "      // Nothing.\n";
  detail::write_numbers(out, weights + end, weights + Form::kWeights + detail::kSlack);
  out << "  };\n};\n\n}  // namespace " << namespace_name << '\n';
  detail::check_that(out.good(), kWhere, "out", "a stream that takes what is written", "one that fails");
}

}  // namespace minrnn
