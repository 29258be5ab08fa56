// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace char_lm {

/// Made at build time from the library's own headers: something to train on that needs no download.
extern const char* const default_text;
extern const std::size_t default_text_size;

/// Input that the user must change: one line on standard error, exit status 2.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// 'a', or 0x07 where it cannot be printed.
inline std::string printable(char c) {
  if (c >= ' ' && c <= '~') return {'\'', c, '\''};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// The bytes that a model knows, in order: byte i of the vocabulary is token i.
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

  std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }
  const std::string& bytes() const { return bytes_; }
  char symbol(std::int32_t token) const { return bytes_[static_cast<std::size_t>(token)]; }

  /// Throws InputError for a character that is not in the vocabulary; `where` says of what, `offset` its place there.
  std::int32_t token(char c, std::string_view where, std::size_t offset) const {
    const std::int32_t token = token_of_[static_cast<unsigned char>(c)];
    if (token < 0)
      throw InputError(std::string(where) + ": character " + printable(c) + " at position " + std::to_string(offset) +
                       " was not seen in training");
    return token;
  }

 private:
  std::string bytes_;
  std::array<std::int32_t, 256> token_of_{};
};

inline std::ifstream open_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) throw InputError(path + ": is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(path + ": cannot be opened: " + std::strerror(errno));
  return file;
}

/// A whole text as tokens, divided as in nanoGPT: the first nine tenths to train on, the rest to validate.
struct Text {
  Vocabulary vocabulary;
  std::vector<std::int32_t> tokens;
  std::uint64_t hash = 0;  // FNV-1a of the bytes
  std::size_t training_size = 0;

  Text(std::string_view bytes, std::string_view name) : vocabulary(Vocabulary::of(bytes)) {
    if (bytes.empty()) throw InputError(std::string(name) + ": is empty");
    tokens.reserve(bytes.size());
    hash = 0xcbf29ce484222325u;
    for (const char c : bytes) {
      tokens.push_back(vocabulary.token(c, name, 0));
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    training_size = tokens.size() / 10 * 9 + tokens.size() % 10 * 9 / 10;
  }
  static Text from_file(const std::string& path) {
    std::ifstream file = open_file(path);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return Text(bytes, path);
  }
  static Text built_in() { return Text({default_text, default_text_size}, "the built-in text"); }

  const std::int32_t* validation() const { return tokens.data() + training_size; }
  std::size_t validation_size() const { return tokens.size() - training_size; }
};

}  // namespace char_lm
