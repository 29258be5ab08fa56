// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace minrnn {

namespace detail {

/// The length of the UTF-8 character that begins `text`, 1 to 4; 0 where there is none.
inline std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  // Spelt with more bytes than it needs, half of a surrogate pair, or beyond the last one.
  const unsigned first_two = byte(0) * 256u + byte(1);
  const bool wrong = (first_two >= 0xe000 && first_two < 0xe0a0) || (first_two >= 0xeda0 && first_two < 0xee00) ||
                     (first_two >= 0xf000 && first_two < 0xf090) || first_two >= 0xf490;
  return wrong ? 0 : length;
}

/// True for what moves the cursor, changes the terminal or turns the direction of writing, and for separators of lines.
inline bool is_control(std::string_view character) {
  if (character.size() == 1) return character[0] < ' ' || character[0] == '\x7f';
  return (character >= "\xc2\x80" && character <= "\xc2\x9f") || character == "\xd8\x9c" ||
         (character >= "\xe2\x80\x8b" && character <= "\xe2\x80\x8f") ||
         (character >= "\xe2\x80\xa8" && character <= "\xe2\x80\xae") ||
         (character >= "\xe2\x81\xa0" && character <= "\xe2\x81\xaf") || character == "\xef\xbb\xbf";
}

}  // namespace detail

/// A text from a file or from a command line as a message may quote it: one line of UTF-8 without control characters,
/// whose bytes become \x1b and the like, and of about `most` bytes, what is in the middle of a longer one being left
/// out. A text that is so already stays as it is.
inline std::string printable(std::string_view text, std::size_t most = 200) {
  std::string_view tail;
  std::size_t left_out = 0;
  if (text.size() > most) {
    tail = text.substr(text.size() - most / 2);
    while (!tail.empty() && (tail[0] & '\xc0') == '\x80') tail.remove_prefix(1);  // not from within a character
    std::size_t head = most / 2;
    while (head > 0 && (text[head] & '\xc0') == '\x80') --head;
    left_out = text.size() - tail.size() - head;
    text = text.substr(0, head);
  }
  std::string result;
  const auto append = [&](std::string_view part) {
    while (!part.empty()) {
      const std::size_t length = detail::utf8_length(part);
      const std::string_view character = part.substr(0, length == 0 ? 1 : length);
      if (length > 0 && !detail::is_control(character)) {
        result += character;
      } else {
        constexpr std::string_view kDigits = "0123456789abcdef";
        for (const char c : character) {
          const auto byte = static_cast<unsigned char>(c);
          result += {'\\', 'x', kDigits[byte / 16u], kDigits[byte % 16u]};
        }
      }
      part.remove_prefix(character.size());
    }
  };
  append(text);
  if (left_out > 0) result += "... (" + std::to_string(left_out) + " bytes) ...";
  append(tail);
  return result;
}

}  // namespace minrnn
