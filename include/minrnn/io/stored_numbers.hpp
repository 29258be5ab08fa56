// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/io/tensor_file.hpp"
#include "minrnn/math/half.hpp"

/// Numbers of each type that a file may have, one at a time.
namespace minrnn::detail {

/// The bytes of a scalar, least first in the file. Never through a register that could change a signalling NaN.
template <class To, class From>
void copy_little_endian(To* to, const From* from, std::size_t size) {
  std::memcpy(to, from, size);
  if constexpr (std::endian::native == std::endian::big) {
    auto* bytes = reinterpret_cast<unsigned char*>(to);
    std::reverse(bytes, bytes + size);
  }
}

template <class S>
constexpr Dtype dtype_of() {
  if constexpr (std::same_as<S, Bf16>) {
    return Dtype::bf16;
  } else if constexpr (std::integral<S>) {
    constexpr bool is_signed = std::is_signed_v<S>;
    static_assert(!std::same_as<S, bool>, "BOOL is read as an integer");
    if constexpr (sizeof(S) == 1) return is_signed ? Dtype::i8 : Dtype::u8;
    if constexpr (sizeof(S) == 2) return is_signed ? Dtype::i16 : Dtype::u16;
    if constexpr (sizeof(S) == 4) return is_signed ? Dtype::i32 : Dtype::u32;
    return is_signed ? Dtype::i64 : Dtype::u64;
  } else {
    static_assert(std::same_as<S, float> || std::same_as<S, double>, "a checkpoint holds float and double");
    return std::same_as<S, float> ? Dtype::f32 : Dtype::f64;
  }
}

/// Types in which nothing computes.
inline bool is_half(Dtype dtype) { return dtype == Dtype::f16 || dtype == Dtype::bf16; }
inline bool is_floating(Dtype dtype) { return is_half(dtype) || dtype == Dtype::f32 || dtype == Dtype::f64; }

/// What a conversion of one number came to.
enum class Fit { exact, rounded, beyond };

/// x as a To, in `y`; where it is beyond To, y is not to be used.
template <class To, class From>
Fit convert(From x, To& y) {
  if constexpr (std::same_as<To, Bf16>) {
    return Fit::beyond;  // a weight that was never of 16 bits does not become one by being read
  } else if constexpr (std::integral<From> && std::integral<To>) {
    y = static_cast<To>(x);
    return std::in_range<To>(x) ? Fit::exact : Fit::beyond;
  } else if constexpr (std::integral<From>) {
    y = static_cast<To>(x);
    auto digits = static_cast<std::uint64_t>(x);
    if constexpr (std::is_signed_v<From>) digits = x < 0 ? 0 - digits : digits;
    if (digits != 0) digits >>= std::countr_zero(digits);
    return std::bit_width(digits) <= std::numeric_limits<To>::digits ? Fit::exact : Fit::rounded;
  } else if constexpr (std::integral<To>) {
    constexpr From kEnd = static_cast<From>(std::uint64_t{1} << (std::numeric_limits<To>::digits - 1)) * 2;
    constexpr From kLeast = std::is_signed_v<To> ? -kEnd : From(0);
    if (!is_finite(x) || x < kLeast || x >= kEnd) return Fit::beyond;
    y = static_cast<To>(x);
    return static_cast<From>(y) == x ? Fit::exact : Fit::rounded;
  } else {
    y = static_cast<To>(x);
    if (!is_finite(x) || static_cast<From>(y) == x) return Fit::exact;
    return is_finite(y) ? Fit::rounded : Fit::beyond;
  }
}

/// Calls body(read) with what reads number i of a tensor of a type that is known: F16 and BF16 as float, BOOL as
/// std::uint8_t, all others as they are.
template <class Body>
void with_numbers(const StoredTensor& tensor, const Body& body) {
  const std::byte* bytes = tensor.bytes.data();
  const auto as = [&]<class T>(T, auto finish) {
    body([bytes, finish](std::size_t i) {
      T number;
      copy_little_endian(&number, bytes + i * sizeof(T), sizeof(T));
      return finish(number);
    });
  };
  const auto same = [](auto number) { return number; };
  switch (tensor.dtype) {
    case Dtype::f32:
      return as(float(), same);
    case Dtype::f64:
      return as(double(), same);
    case Dtype::i64:
      return as(std::int64_t(), same);
    case Dtype::u64:
      return as(std::uint64_t(), same);
    case Dtype::f16:
      return as(std::uint16_t(), [](std::uint16_t bits) { return float_from_f16(bits); });
    case Dtype::bf16:
      return as(std::uint16_t(), [](std::uint16_t bits) { return float_from_bf16(bits); });
    case Dtype::i8:
      return as(std::int8_t(), same);
    case Dtype::i16:
      return as(std::int16_t(), same);
    case Dtype::i32:
      return as(std::int32_t(), same);
    case Dtype::boolean:
    case Dtype::u8:
      return as(std::uint8_t(), same);
    case Dtype::u16:
      return as(std::uint16_t(), same);
    case Dtype::u32:
      return as(std::uint32_t(), same);
    case Dtype::other:
      return;
  }
}

/// The numbers in a tensor of a type that is known, which has its bytes.
inline std::size_t number_count(const StoredTensor& tensor) {
  return tensor.bytes.size() / memory_size(dtype_entry(tensor.dtype).size);
}

/// A number as a message says it: enough digits to be no other.
template <class T>
std::string number_text(T number) {
  if constexpr (std::integral<T>) {
    return std::to_string(number);
  } else {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", std::numeric_limits<T>::max_digits10, static_cast<double>(number));
    return text;
  }
}

}  // namespace minrnn::detail
