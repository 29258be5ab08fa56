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
#include "minrnn/core/views.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/leaves.hpp"
#include "minrnn/io/nearest_names.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/io/self_test.hpp"
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
///   Parts training{Part{"model", model}, Part{"optimizer", adam}, Part{"step", step}, Part{"random", random_state}};
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

/// The names in the file that are nearest to one that it lacks and `thing` wants, of those that `thing` does not want.
template <class T>
std::string nearest_unknown(TensorsByName unused, T& thing, std::string_view name) {
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
  TensorsByName unused = tensors_by_name(file);
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
/// `conversion` says which others are taken. A self-test is passed over. To restore a part of a file, erase the rest
/// from `file.tensors` first.
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

/// Puts a self-test into the file of a model: an input x, a view of sequences or of tokens, and what `model` makes of
/// it with its parameters as the file has them, so rounded where they are F16 or BF16: see minrnn/io/self_test.hpp.
///
/// Throws  std::runtime_error where the file is not that of such a model; std::invalid_argument for an x that the model
///         refuses, that has starts, or whose output has numbers that are not finite
template <detail::SelfTested M>
void add_self_test(TensorFile& file, M model, SequenceView<const std::type_identity_t<detail::InputScalar<M>>> x) {
  restore(file, model, Conversion::exact);
  detail::put_self_test(file, model, x);
}

/// Restores `thing` from a file of `save_checkpoint` and gives the metadata. Where metadata say how to make the thing,
/// call `read_safetensors` and `restore` instead. A model must pass the self-test of the file, where there is one.
///
/// Throws  as `read_safetensors` and `restore`; std::runtime_error that says by how much a self-test is off. `thing` is
///         unchanged then
template <class T>
std::map<std::string, std::string> load_checkpoint(const std::filesystem::path& path, T&& thing,
                                                   Conversion conversion = Conversion::half) {
  TensorFile file = read_safetensors(path, FileAccess::map);
  if constexpr (detail::SelfTested<std::remove_cvref_t<T>>) {
    if (has_self_test(file)) {
      auto fresh = thing;
      restore(file, fresh, conversion);
      detail::check_self_test(file, fresh);
      thing = std::move(fresh);
      return std::move(file.metadata);
    }
  }
  restore(file, thing, conversion);
  return std::move(file.metadata);
}

}  // namespace minrnn
