// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/printable.hpp"
#include "support/checkpoints.hpp"
#include "support/console.hpp"

/// What the tools add to CLI11: numbers that are taken as they are written or refused, empty values, suggestions.
namespace tool {

/// Bounds, and how a message names them.
template <class T>
struct Bounds {
  T least, most;
  std::string wanted;
};
template <std::integral T>
Bounds<T> whole_number(T least, T most) {
  return {least, most, "a whole number from " + std::to_string(least) + " to " + std::to_string(most)};
}

inline const Bounds<minrnn::Index> kSize = whole_number<minrnn::Index>(1, kMostSize);
inline const Bounds<std::int64_t> kCount = whole_number<std::int64_t>(1, 1'000'000'000'000);
inline const Bounds<std::uint64_t> kSeed = whole_number<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max());
inline const Bounds<double> kPositive{1e-300, 1e300, "a positive number"};
inline const Bounds<double> kNotNegative{0, 1e300, "a number not below 0"};
// What becomes a float.
inline const Bounds<double> kPositiveFloat{1e-30, 1e30, "a positive number"};
inline const Bounds<double> kNotNegativeFloat{0, 1e30, "a number not below 0"};

/// An option with a number. All of the text must be the number in decimal: nothing wraps, saturates or is read as
/// octal.
template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& name, T& value, const Bounds<T>& bounds,
                        const std::string& text, bool show_default = true) {
  const auto take = [name, bounds, &value](const std::string& word) {
    T number{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size() || !(number >= bounds.least && number <= bounds.most))
      throw CLI::ValidationError(name, "wanted " + bounds.wanted + ", " + given(word));
    value = number;
  };
  CLI::Option* option = app.add_option_function<std::string>(name, take, text);
  option->type_name(std::integral<T> ? "N" : "X");
  if (show_default) {
    std::ostringstream written;
    written << value;
    option->default_str(written.str());
  }
  return option;
}

/// An option with the name of a file, which is not empty.
inline CLI::Option* add_file(CLI::App& app, const std::string& name, std::string& value, const std::string& text) {
  const auto check = [](const std::string& word) {
    return word.empty() ? std::string("wanted the name of a file, given nothing") : std::string();
  };
  return app.add_option(name, value, text)->type_name("FILE")->check(CLI::Validator(check, ""));
}

/// An option with how the large weights of a model are stored.
inline void add_weights(CLI::App& app, std::optional<minrnn::WeightFormat>& weights, const std::string& text) {
  const auto take = [&](const std::string& name) {
    weights = name == "bf16" ? minrnn::WeightFormat::bf16 : minrnn::WeightFormat::int8;
  };
  app.add_option_function<std::string>("--weights", take, text)->check(CLI::IsMember({"bf16", "int8"}));
}

/// The words of the command line, from the last to the first as CLI11 takes them. "--name=" becomes "--name" and an
/// empty word: CLI11 would take the next option for its value.
inline std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--") && word.size() > 3 && word.find('=') == word.size() - 1) {
      words.push_back(word.substr(0, word.size() - 1));
      words.emplace_back();
    } else {
      words.push_back(word);
    }
  }
  std::reverse(words.begin(), words.end());
  return words;
}

/// The fewest letters to be inserted, left out or changed to make one word of the other (Levenshtein).
inline std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, diagonal + (a[i] == b[j] ? 0 : 1)}));
  }
  return row.back();
}

/// What is wrong with the first word that a command does not know, and the word that was probably meant; empty where
/// all are known.
inline std::string unknown_word(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  const CLI::App& command = commands.empty() ? app : *commands.front();
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  if (commands.empty())
    for (const CLI::App* other : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(other->get_name());

  auto rest = app.remaining(true);
  if (rest.empty()) return {};
  const std::string word = rest.front().substr(0, std::min(rest.front().find('='), std::size_t{100}));
  std::string text =
      minrnn::printable(rest.front()) + ": not known" + (commands.empty() ? "" : " to " + command.get_name());
  const auto nearest = std::min_element(
      known.begin(), known.end(), [&](const auto& a, const auto& b) { return distance(word, a) < distance(word, b); });
  if (nearest == known.end() || distance(word, *nearest) > std::max<std::size_t>(word.size() / 3, 2))
    return text + "; --help says more";
  return text + "; did you mean " + *nearest + "?";
}

/// Takes the command line. Gives the exit status where there is nothing more to do: help was wanted, or refused.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(words_of(argc, argv));
    return std::nullopt;
  } catch (const CLI::Success& help) {
    app.exit(help);
    flush_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unknown_word(app);
    return fail(unknown.empty() ? error.what() : unknown);
  }
}

}  // namespace tool
