// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "minrnn/io/names_of.hpp"
#include "minrnn/io/nearest_names.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace minrnn {

/// What may happen to numbers on the way from the type that a file has to the one that is asked for. Whatever is asked
/// for, a NaN stays a NaN and an infinity an infinity; a finite number that is beyond the other type is refused, and so
/// is a fraction as an integer, each with its tensor, place and value.
enum class Conversion {
  half,    // F16 and BF16, in which nothing computes, become float or double, which is exact; any other type is refused
  exact,   // any type, as long as each number is one that the other type has: 0.5 of F64 is a float, 0.1 is refused
  nearest  // floating-point numbers, and what becomes one, are rounded to the nearest, ties to even
};

namespace detail {

[[noreturn]] inline void throw_tensor(const std::filesystem::path& path, std::string_view name,
                                      const std::string& wanted, const std::string& given) {
  throw_file(path, "tensor " + printable(name) + ": wanted " + wanted + ", given " + given);
}

inline void check_bytes(const StoredTensor& tensor, const std::filesystem::path& path) {
  if (!has_its_bytes(tensor))
    throw_tensor(path, tensor.name, describe(tensor), std::to_string(tensor.bytes.size()) + " bytes");
}

using TensorsByName = std::map<std::string_view, const StoredTensor*>;

/// The tensors of a file by name, but for those of a self-test. Throws where a name is there twice, or bytes do not fit
/// a shape.
inline TensorsByName tensors_by_name(const TensorFile& file) {
  TensorsByName result;
  for (const StoredTensor& tensor : file.tensors) {
    if (is_self_test(tensor.name)) continue;
    if (!result.emplace(tensor.name, &tensor).second) throw_tensor(file.path, tensor.name, "one of this name", "two");
    check_bytes(tensor, file.path);
  }
  return result;
}

/// Throws unless the tensor has its bytes, and each number of it can be had as an S by this conversion.
template <class S>
void check_numbers(const StoredTensor& tensor, Conversion conversion, const std::filesystem::path& path) {
  constexpr Dtype kTo = dtype_of<S>();
  check_bytes(tensor, path);
  if (tensor.dtype == kTo || (is_half(tensor.dtype) && std::floating_point<S>)) return;
  if (conversion == Conversion::half || tensor.dtype == Dtype::other)
    throw_tensor(path, tensor.name, describe(kTo, tensor.shape), describe(tensor));
  const bool rounds = conversion == Conversion::nearest && std::floating_point<S>;
  with_numbers(tensor, [&](const auto& read) {
    for (std::size_t i = 0, count = number_count(tensor); i < count; ++i) {
      const auto x = read(i);
      S y{};
      Fit fit = convert(x, y);
      if (tensor.dtype == Dtype::boolean && x > 1) fit = Fit::beyond;
      if (fit == Fit::exact || (fit == Fit::rounded && rounds)) continue;
      const bool would_round = fit == Fit::rounded && std::floating_point<S>;
      throw_tensor(path, tensor.name, describe(kTo, tensor.shape),
                   describe(tensor) + ", whose number " + std::to_string(i) + ", " + number_text(x) +
                       (would_round ? ", has to be rounded, as Conversion::nearest does" : ", is none"));
    }
  });
}

/// Numbers `first` and following of a tensor that has passed `check_numbers`, bit for bit where it is of this type.
template <class S>
void copy_numbers(const StoredTensor& tensor, std::size_t first, S* to, std::size_t count) {
  if (tensor.dtype == dtype_of<S>()) {
    const std::byte* from = tensor.bytes.data() + first * sizeof(S);
    if constexpr (std::endian::native == std::endian::little) {
      if (count > 0) std::memcpy(to, from, count * sizeof(S));
    } else {
      for (std::size_t i = 0; i < count; ++i) copy_little_endian(to + i, from + i * sizeof(S), sizeof(S));
    }
    return;
  }
  with_numbers(tensor, [&](const auto& read) {
    for (std::size_t i = 0; i < count; ++i) convert(read(first + i), to[i]);
  });
}

/// The numbers of a tensor that has passed `check_numbers`, one after the other.
template <class S>
class NumberReader {
 public:
  explicit NumberReader(const StoredTensor& tensor) : tensor_(tensor) {}

  void next(S& number) {
    if (at_ == kBlock) {
      first_ += kBlock;
      at_ = 0;
    }
    if (at_ == 0) copy_numbers(tensor_, first_, block_, std::min<std::size_t>(kBlock, number_count(tensor_) - first_));
    // An assignment could change a signalling NaN.
    std::memcpy(&number, block_ + at_++, sizeof(S));
  }

 private:
  static constexpr std::size_t kBlock = 512;

  const StoredTensor& tensor_;
  std::size_t first_ = 0, at_ = 0;  // of the block; in the block
  S block_[kBlock];
};

}  // namespace detail

/// The tensor of this name. Throws std::runtime_error with the path, the name, and the names nearest to it, where there
/// is none.
inline const StoredTensor& find_tensor(const TensorFile& file, std::string_view name) {
  if (const StoredTensor* tensor = detail::tensor_or_null(file, name)) return *tensor;
  detail::NearestNames nearest(name);
  for (const StoredTensor& tensor : file.tensors) nearest.add(tensor.name);
  detail::throw_file(file.path, "no tensor " + printable(name) + nearest.text());
}

/// The numbers of a tensor as S, a float, a double or an integer, the last dimension fastest; false and true of BOOL
/// are 0 and 1. Throws std::runtime_error with the path, the tensor, and the type or the number that is refused.
template <class S>
std::vector<S> numbers(const StoredTensor& tensor, Conversion conversion = Conversion::exact,
                       const std::filesystem::path& path = {}) {
  detail::check_numbers<S>(tensor, conversion, path);
  std::vector<S> result(detail::number_count(tensor));
  detail::copy_numbers(tensor, 0, result.data(), result.size());
  return result;
}
/// The same of the tensor of this name, as `find_tensor` gives it.
template <class S>
std::vector<S> numbers(const TensorFile& file, std::string_view name, Conversion conversion = Conversion::exact) {
  return numbers<S>(find_tensor(file, name), conversion, file.path);
}

}  // namespace minrnn
