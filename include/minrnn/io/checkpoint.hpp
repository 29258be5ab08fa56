// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/safetensors.hpp"

/// What is saved and restored is whatever has a static `visit(self, scope, visitor)`: a layer, the state of a layer, an
/// optimizer, `Parts`, a struct of the caller's. It gives the visitor parameters, matrices, numbers of 64 bits or
/// floats, and things that have a visit themselves; so one list serves writing and reading.
namespace minrnn {

/// A thing and its name in a checkpoint.
template <class T>
struct Part {
  std::string_view name;
  T& thing;
};
template <class T>
Part(std::string_view, T&) -> Part<T>;

/// Several things as one, by reference:
///   Parts training(Part{"model", model}, Part{"optimizer", adam}, Part{"step", step}, Part{"random", random_state});
///   save_checkpoint(path, training);  ...  load_checkpoint(path, training);
template <class... T>
class Parts {
 public:
  explicit Parts(Part<T>... parts) : parts_(parts...) {}

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    std::apply([&](const auto&... part) { (visitor(scope / part.name, part.thing), ...); }, self.parts_);
  }

 private:
  std::tuple<Part<T>...> parts_;
};

namespace detail {

/// What becomes one tensor: its scalar, its shape, and its elements, the last index fastest.
template <class T>
struct Leaf {
  static constexpr bool is = std::is_arithmetic_v<T>;
  static_assert(!is || (sizeof(T) == 8 && !std::same_as<T, long double>) || std::same_as<T, float>,
                "a number in a checkpoint is a float, a double, a std::int64_t or a std::uint64_t");
  using Scalar = T;
  static std::vector<std::uint64_t> shape(const T&) { return {}; }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    body(self);
  }
};
template <class S>
struct Leaf<Matrix<S>> {
  static constexpr bool is = true;
  using Scalar = S;
  static std::vector<std::uint64_t> shape(const Matrix<S>& m) {
    return {static_cast<std::uint64_t>(m.rows()), static_cast<std::uint64_t>(m.cols())};
  }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    for (Index i = 0; i < self.rows(); ++i)
      for (Index j = 0; j < self.cols(); ++j) body(self.coeffRef(i, j));
  }
};
template <class S>
struct Leaf<Parameter<S>> {
  static constexpr bool is = true;
  using Scalar = S;
  static std::vector<std::uint64_t> shape(const Parameter<S>& p) {
    auto shape = Leaf<Matrix<S>>::shape(p.value);
    if (p.rank == 1) shape.pop_back();
    return shape;
  }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    Leaf<Matrix<S>>::for_elements(self.value, body);
  }
};

template <class S>
constexpr Dtype dtype_of() {
  if constexpr (std::integral<S>) {
    return std::is_signed_v<S> ? Dtype::i64 : Dtype::u64;
  } else {
    static_assert(std::same_as<S, float> || std::same_as<S, double>, "a checkpoint holds float and double");
    return std::same_as<S, float> ? Dtype::f32 : Dtype::f64;
  }
}

/// The bytes of a scalar, least first in the file. Never through a register that could change a signalling NaN.
template <class To, class From>
void copy_little_endian(To* to, const From* from, std::size_t size) {
  std::memcpy(to, from, size);
  if constexpr (std::endian::native == std::endian::big) {
    auto* bytes = reinterpret_cast<unsigned char*>(to);
    std::reverse(bytes, bytes + size);
  }
}

/// Calls visitor(name, leaf) for all that `thing` holds, itself included.
template <class T, class V>
void visit_leaves(T& thing, const Name& name, const V& visitor) {
  using Plain = std::remove_const_t<T>;
  if constexpr (Leaf<Plain>::is)
    visitor(name, thing);
  else
    Plain::visit(thing, name, [&](const Name& inner, auto& part) { visit_leaves(part, inner, visitor); });
}

}  // namespace detail

/// All that `thing` holds, to be written by `write_safetensors`. A weight (H, F) becomes a tensor of that shape, so
/// that Python's safetensors.numpy.load_file gives it back as W[h, f]; a vector has one dimension, a number none.
template <class T>
TensorFile to_tensors(const T& thing, std::map<std::string, std::string> metadata = {}) {
  TensorFile file;
  file.metadata = std::move(metadata);
  detail::visit_leaves(thing, Name{}, [&](const Name& name, const auto& leaf) {
    using Leaf = detail::Leaf<std::remove_cvref_t<decltype(leaf)>>;
    using S = typename Leaf::Scalar;
    StoredTensor& tensor = file.tensors.emplace_back();
    tensor.name = name.str();
    tensor.dtype = detail::dtype_of<S>();
    tensor.shape = Leaf::shape(leaf);
    tensor.bytes.resize(detail::memory_size(*detail::byte_count(tensor.dtype, tensor.shape)));
    std::byte* to = tensor.bytes.data();
    Leaf::for_elements(leaf, [&](const S& element) {
      detail::copy_little_endian(to, &element, sizeof(S));
      to += sizeof(S);
    });
  });
  return file;
}

/// Gives `thing` the values of a file, bit for bit. Everything is checked before anything changes: names, dtypes and
/// shapes must be those of `to_tensors(thing)`, none missing and none left over. To restore a part of a file, erase the
/// rest from `file.tensors` first.
///
/// Throws  std::runtime_error with the path, the tensor, wanted and given; `thing` is unchanged then
template <class T>
void restore(const TensorFile& file, T&& thing) {
  std::map<std::string_view, const StoredTensor*> unused;
  const auto fail = [&](std::string_view name, const std::string& wanted, const std::string& given) {
    detail::throw_file(file.path, "tensor " + printable(name) + ": wanted " + wanted + ", given " + given);
  };
  for (const StoredTensor& tensor : file.tensors) {
    if (!unused.emplace(tensor.name, &tensor).second) fail(tensor.name, "one of this name", "two");
    if (detail::byte_count(tensor.dtype, tensor.shape) != tensor.bytes.size())
      fail(tensor.name, detail::describe(tensor.dtype, tensor.shape), std::to_string(tensor.bytes.size()) + " bytes");
  }

  std::vector<const StoredTensor*> found;  // in the order of the visit
  detail::visit_leaves(thing, Name{}, [&](const Name& scope, const auto& leaf) {
    using Leaf = detail::Leaf<std::remove_cvref_t<decltype(leaf)>>;
    const std::string name = scope.str();
    const Dtype dtype = detail::dtype_of<typename Leaf::Scalar>();
    const std::string wanted = detail::describe(dtype, Leaf::shape(leaf));
    const auto tensor = unused.find(name);
    if (tensor == unused.end()) fail(name, wanted, "none");
    if (tensor->second->dtype != dtype || tensor->second->shape != Leaf::shape(leaf))
      fail(name, wanted, detail::describe(tensor->second->dtype, tensor->second->shape));
    found.push_back(tensor->second);
    unused.erase(tensor);
  });
  if (!unused.empty()) {
    const StoredTensor& surplus = *unused.begin()->second;
    fail(surplus.name, "none", detail::describe(surplus.dtype, surplus.shape));
  }

  auto next = found.begin();
  detail::visit_leaves(thing, Name{}, [&](const Name&, auto& leaf) {
    using Leaf = detail::Leaf<std::remove_cvref_t<decltype(leaf)>>;
    using S = typename Leaf::Scalar;
    const std::byte* from = (*next++)->bytes.data();
    Leaf::for_elements(leaf, [&](S& element) {
      detail::copy_little_endian(&element, from, sizeof(S));
      from += sizeof(S);
    });
  });
}

/// One file with all that `thing` holds, of a layer its parameters under the names of the visit; see `to_tensors` and
/// `write_safetensors`.
template <class T>
void save_checkpoint(const std::filesystem::path& path, const T& thing,
                     std::map<std::string, std::string> metadata = {}) {
  write_safetensors(path, to_tensors(thing, std::move(metadata)));
}

/// Restores `thing` from a file of `save_checkpoint` and gives the metadata. Where metadata say how to make the thing,
/// call `read_safetensors` and `restore` instead.
template <class T>
std::map<std::string, std::string> load_checkpoint(const std::filesystem::path& path, T&& thing) {
  TensorFile file = read_safetensors(path);
  restore(file, thing);
  return std::move(file.metadata);
}

}  // namespace minrnn
