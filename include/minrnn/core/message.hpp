// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "minrnn/core/types.hpp"

/// What the messages of errors are put together from.
namespace minrnn::detail {

/// The decimal digits of a number, without an allocation.
class Digits {
 public:
  explicit Digits(std::int64_t number) {
    std::uint64_t rest = static_cast<std::uint64_t>(number);
    if (number < 0) rest = 0 - rest;
    do digits_[--first_] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (number < 0) digits_[--first_] = '-';
  }
  std::string_view text() const { return {digits_ + first_, sizeof(digits_) - first_}; }

 private:
  char digits_[20];
  std::size_t first_ = sizeof(digits_);
};

/// What a message says: a text that is there anyway, a number, or several of these one after the other. It only refers
/// to them: where a check succeeds nothing is put together, and where it fails that is done in one place.
class Said {
 public:
  // Implicit, all of these: they are the arguments of a check.
  Said(const char* text) : Said(std::string_view(text)) {}                                    // NOLINT
  Said(std::string_view text) : what_(What::text), data_(text.data()), size_(text.size()) {}  // NOLINT
  Said(const std::string& text) : Said(std::string_view(text)) {}                             // NOLINT
  Said(std::integral auto number) : what_(What::integer), integer_(std::int64_t(number)) {}   // NOLINT
  Said(std::floating_point auto number) : what_(What::real), real_(double(number)) {}         // NOLINT
  Said(std::initializer_list<Said> parts) : what_(What::parts), data_(parts.begin()), size_(parts.size()) {}

  MINRNN_COLD void add_to(std::string& message) const {
    if (what_ == What::text) message.append(static_cast<const char*>(data_), size_);
    if (what_ == What::integer) message += Digits(integer_).text();
    if (what_ == What::real) message += std::to_string(real_);
    if (what_ == What::parts)
      for (std::size_t i = 0; i < size_; ++i) static_cast<const Said*>(data_)[i].add_to(message);
  }

 private:
  enum class What { text, integer, real, parts };

  What what_;
  const void* data_ = nullptr;
  std::size_t size_ = 0;
  std::int64_t integer_ = 0;
  double real_ = 0;
};

/// "(64, 7, any)": a list as the messages spell it.
MINRNN_COLD inline std::string list_text(std::initializer_list<Said> list) {
  std::string text;
  for (const Said& part : list) {
    text += text.empty() ? "(" : ", ";
    part.add_to(text);
  }
  text += ')';
  return text;
}
/// A shape, in which -1 stands for any size.
template <class... Sizes>
std::string shape_text(Sizes... sizes) {
  return list_text({sizes < 0 ? Said("any") : Said(sizes)...});
}

}  // namespace minrnn::detail
