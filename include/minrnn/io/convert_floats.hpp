// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/tensor_bytes.hpp"
#include "minrnn/io/tensor_file.hpp"
#include "minrnn/math/half.hpp"

namespace minrnn {

namespace detail {

inline constexpr std::string_view kConvertFloats = "convert_floats";

/// The numbers of a floating-point tensor, each by round(x), which gives what is stored; value(stored) is what a
/// reader gets back.
template <class Round, class Value>
TensorBytes rounded_bytes(const StoredTensor& tensor, const Round& round_it, const Value& value) {
  std::vector<std::byte> bytes;
  with_numbers(tensor, [&](const auto& read) {
    const std::size_t count = number_count(tensor);
    bytes.resize(count * sizeof(round_it(0.0)));
    std::byte* to = bytes.data();
    for (std::size_t i = 0; i < count; ++i) {
      const auto x = static_cast<double>(read(i));
      const auto stored = round_it(x);
      const auto y = value(stored);
      if (is_finite(x) && !is_finite(y))
        throw_argument(kConvertFloats, printable(tensor.name), "numbers that do not become infinite",
                       number_text(x) + " as number " + std::to_string(i));
      copy_little_endian(to, &stored, sizeof stored);
      to += sizeof stored;
    }
  });
  return bytes;
}

inline TensorBytes rounded_bytes(const StoredTensor& tensor, Dtype to) {
  const auto same = [](auto x) { return x; };
  if (to == Dtype::f16) return rounded_bytes(tensor, f16_from_double, float_from_f16);
  if (to == Dtype::bf16) return rounded_bytes(tensor, bf16_from_double, float_from_bf16);
  if (to == Dtype::f32)
    return rounded_bytes(
        tensor, [](double x) { return static_cast<float>(x); }, same);
  return rounded_bytes(tensor, same, same);
}

}  // namespace detail

/// The same tensors, all that are F16, BF16, F32 or F64 as one of these types, to be written by `write_safetensors`:
/// half the bytes, or a quarter. Rounds to the nearest, ties to even; a NaN stays a NaN, an infinity an infinity.
///
/// Throws  std::invalid_argument for a type that is none of these, a number that would become infinite (F16 ends at
///         65504), bytes that do not fit the shape, a self-test, which would be one of other weights
inline TensorFile convert_floats(TensorFile file, Dtype to) {
  detail::check_that(detail::is_floating(to), detail::kConvertFloats, "to", "F16, BF16, F32 or F64",
                     detail::dtype_text(to));
  for (StoredTensor& tensor : file.tensors) {
    detail::check_that(!detail::is_self_test(tensor.name), detail::kConvertFloats, "file",
                       "one to which a self-test is added after its weights are rounded", "one with a self-test");
    if (!detail::is_floating(tensor.dtype) || tensor.dtype == to) continue;
    if (!detail::has_its_bytes(tensor))
      detail::throw_argument(detail::kConvertFloats, printable(tensor.name), "the bytes of " + describe(tensor),
                             std::to_string(tensor.bytes.size()) + " bytes");
    tensor.bytes = detail::rounded_bytes(tensor, to);
    tensor.dtype = to;
  }
  return file;
}

}  // namespace minrnn
