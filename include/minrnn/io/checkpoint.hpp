// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/nearest_names.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/tensor_file.hpp"

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
/// The weights of a model that was quantised.
template <class T>
struct Leaf<StoredMatrix<T>> {
  static constexpr bool is = true;
  using Scalar = T;
  static std::vector<std::uint64_t> shape(const StoredMatrix<T>& m) {
    return {static_cast<std::uint64_t>(m.rows()), static_cast<std::uint64_t>(m.cols())};
  }
  template <class Self, class Body>
  static void for_elements(Self& self, Body&& body) {
    for (Index i = 0; i < self.rows(); ++i)
      for (Index j = 0; j < self.cols(); ++j) body(self(i, j));
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

/// Calls visitor(name, leaf) for all that `thing` holds, itself included.
template <class T, class V>
void visit_leaves(T& thing, const Name& name, const V& visitor) {
  using Plain = std::remove_const_t<T>;
  if constexpr (Leaf<Plain>::is)
    visitor(name, thing);
  else
    Plain::visit(thing, name, [&](const Name& inner, auto& part) { visit_leaves(part, inner, visitor); });
}

/// The names in the file that are nearest to one that it lacks and `thing` wants, of those that `thing` does not want.
template <class T>
std::string nearest_unknown(std::map<std::string_view, const StoredTensor*> unused, T& thing, std::string_view name) {
  visit_leaves(thing, Name{}, [&](const Name& wanted, const auto&) { unused.erase(wanted.str()); });
  NearestNames nearest(name);
  for (const auto& [other, tensor] : unused) nearest.add(other);
  return nearest.text();
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

namespace detail {

/// The tensors of `file` that are those of `thing`, in the order of the visit, after all of them are checked.
template <class T>
std::vector<const StoredTensor*> matching_tensors(const TensorFile& file, T& thing, Conversion conversion) {
  std::map<std::string_view, const StoredTensor*> unused;
  for (const StoredTensor& tensor : file.tensors) {
    if (!unused.emplace(tensor.name, &tensor).second) throw_tensor(file.path, tensor.name, "one of this name", "two");
    check_bytes(tensor, file.path);
  }

  std::vector<const StoredTensor*> found;
  visit_leaves(thing, Name{}, [&](const Name& scope, const auto& leaf) {
    using Leaf = detail::Leaf<std::remove_cvref_t<decltype(leaf)>>;
    using S = typename Leaf::Scalar;
    const std::string name = scope.str();
    const auto shape = Leaf::shape(leaf);
    const auto tensor = unused.find(name);
    if (tensor == unused.end())
      throw_tensor(file.path, name, describe(dtype_of<S>(), shape), "none" + nearest_unknown(unused, thing, name));
    if (tensor->second->shape != shape)
      throw_tensor(file.path, name, describe(dtype_of<S>(), shape), describe(*tensor->second));
    check_numbers<S>(*tensor->second, conversion, file.path);
    found.push_back(tensor->second);
    unused.erase(tensor);
  });
  if (!unused.empty()) {
    const StoredTensor& surplus = *unused.begin()->second;
    throw_tensor(file.path, surplus.name, "none", describe(surplus));
  }
  return found;
}

}  // namespace detail

/// Gives `thing` the values of a file. Everything is checked before anything changes: names and shapes must be those of
/// `to_tensors(thing)`, none missing and none left over. Where the types are the same, too, each number keeps its bits;
/// `conversion` says which others are taken. To restore a part of a file, erase the rest from `file.tensors` first.
///
/// Throws  std::runtime_error with the path, the tensor, wanted and given, for a name that the file lacks also the
///         names nearest to it of those that are left over; `thing` is unchanged then
template <class T>
void restore(const TensorFile& file, T&& thing, Conversion conversion = Conversion::half) {
  const auto found = detail::matching_tensors(file, thing, conversion);
  auto next = found.begin();
  detail::visit_leaves(thing, Name{}, [&](const Name&, auto& leaf) {
    using Leaf = detail::Leaf<std::remove_cvref_t<decltype(leaf)>>;
    using S = typename Leaf::Scalar;
    detail::NumberReader<S> numbers(**next++);
    Leaf::for_elements(leaf, [&](S& element) { numbers.next(element); });
  });
}

/// One file with all that `thing` holds, of a layer its parameters under the names of the visit; see `to_tensors` and
/// `write_safetensors`. Where `floats` is given, floating-point numbers are stored in that type, as Dtype::bf16; see
/// `convert_floats`.
template <class T>
void save_checkpoint(const std::filesystem::path& path, const T& thing,
                     std::map<std::string, std::string> metadata = {}, std::optional<Dtype> floats = {}) {
  TensorFile file = to_tensors(thing, std::move(metadata));
  if (floats) file = convert_floats(std::move(file), *floats);
  write_safetensors(path, file);
}

/// Restores `thing` from a file of `save_checkpoint` and gives the metadata. Where metadata say how to make the thing,
/// call `read_safetensors` and `restore` instead.
template <class T>
std::map<std::string, std::string> load_checkpoint(const std::filesystem::path& path, T&& thing,
                                                   Conversion conversion = Conversion::half) {
  TensorFile file = read_safetensors(path);
  restore(file, thing, conversion);
  return std::move(file.metadata);
}

}  // namespace minrnn
