// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "minrnn/core/types.hpp"
#include "support/errors.hpp"
#include "support/file_reader.hpp"

namespace char_lm {

using namespace tool;
using minrnn::Index;

/// Made at build time from the library's own headers: something to train on that needs no download.
std::string default_text();

/// 'a', or 0x07 where it cannot be printed.
inline std::string printable(char c) {
  if (c >= ' ' && c <= '~') return {'\'', c, '\''};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// The bytes that a model knows, in ascending order: byte i of the vocabulary is token i.
class Vocabulary {
 public:
  explicit Vocabulary(std::string bytes) : bytes_(std::move(bytes)) {
    token_of_.fill(-1);
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      token_of_[static_cast<unsigned char>(bytes_[i])] = static_cast<std::int32_t>(i);
  }
  static Vocabulary of(std::string_view text) {
    std::array<bool, 256> seen{};
    for (const char c : text) seen[static_cast<unsigned char>(c)] = true;
    std::string bytes;
    for (std::size_t byte = 0; byte < seen.size(); ++byte)
      if (seen[byte]) bytes += static_cast<char>(byte);
    return Vocabulary(bytes);
  }

  Index size() const { return static_cast<Index>(bytes_.size()); }
  const std::string& bytes() const { return bytes_; }
  char symbol(std::int32_t token) const { return bytes_[static_cast<std::size_t>(token)]; }
  /// Negative for a character that is not in the vocabulary.
  std::int32_t token(char c) const { return token_of_[static_cast<unsigned char>(c)]; }
  /// Throws InputError for such a character; `where` says of what, `position` its place there, from 0.
  std::int32_t token(char c, const std::string& where, std::uint64_t position) const {
    if (token(c) < 0)
      throw InputError(shown(where) + ": character " + printable(c) + " at position " + std::to_string(position) +
                       " was not seen in training");
    return token(c);
  }

 private:
  std::string bytes_;
  std::array<std::int32_t, 256> token_of_{};
};

/// A whole text, divided as in nanoGPT: the first nine tenths to train on, the rest to validate, one vocabulary for
/// both.
class Text {
 public:
  Text(std::string bytes, std::string name)
      : name_(std::move(name)), bytes_(std::move(bytes)), vocabulary_(Vocabulary::of(bytes_)) {
    if (bytes_.empty()) throw InputError(shown(name_) + ": is empty");
  }
  /// For a model that knows these characters already. Throws InputError for one that it does not know.
  Text(std::string bytes, std::string name, Vocabulary known) : Text(std::move(bytes), std::move(name)) {
    vocabulary_ = std::move(known);
    for (std::size_t i = 0; i < bytes_.size(); ++i) vocabulary_.token(bytes_[i], name_, i);
  }
  static Text from_file(const std::string& path) {
    FileReader file(path);
    std::string bytes;
    for (auto piece = file.read(1 << 20); !piece.empty(); piece = file.read(1 << 20)) bytes += piece;
    return Text(std::move(bytes), path);
  }
  static Text built_in() { return Text(default_text(), "the built-in text"); }

  const std::string& name() const { return name_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  Index size() const { return static_cast<Index>(bytes_.size()); }
  Index training_size() const { return size() / 10 * 9 + size() % 10 * 9 / 10; }
  Index validation_size() const { return size() - training_size(); }

  /// Throws InputError where it is too short to train on sequences of so many characters.
  void check_length(Index context) const {
    if (std::min(validation_size(), training_size()) >= context + 2) return;
    throw InputError(shown(name_) + ": is too short: its last tenth, which validates, has " +
                     std::to_string(validation_size()) + " characters, and --context " + std::to_string(context) +
                     " wants at least " + std::to_string(context + 2));
  }

  /// The tokens of the characters [first, first + count).
  void copy_tokens(Index first, Index count, std::int32_t* to) const {
    for (Index i = 0; i < count; ++i) to[i] = vocabulary_.token(bytes_[static_cast<std::size_t>(first + i)]);
  }
  /// Tells this text from others: FNV-1a.
  std::uint64_t hash() const {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : bytes_) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
  }

 private:
  std::string name_, bytes_;
  Vocabulary vocabulary_;
};

}  // namespace char_lm
