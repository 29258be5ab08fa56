// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/map_elements.hpp"
#include "minrnn/io/map_shapes.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace minrnn {

namespace detail {

/// A list of names for a message, the first 20 of them.
class NameList {
 public:
  void add(const std::string& text) {
    if (count_++ < 20) text_ += (text_.empty() ? "" : ", ") + text;
  }
  bool empty() const { return count_ == 0; }
  std::string text() const { return count_ > 20 ? text_ + " and " + std::to_string(count_ - 20) + " more" : text_; }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

/// Throws where a name of theirs is missing or left over, or is one that is refused. `wanted` says of what shape what
/// is missing would be, where that is known.
template <class Wanted>
void check_names(const TensorFile& theirs, const NameMap& map, TensorsByName tensors, const Wanted& wanted) {
  for (const auto& refusal : map.refusals)
    if (tensors.contains(refusal.theirs))
      throw_file(theirs.path, "tensor " + printable(refusal.theirs) + ": " + refusal.reason);
  NameList missing, left_over;
  for (std::size_t i = 0; i < map.entries.size(); ++i)
    if (tensors.erase(map.entries[i].theirs) == 0) missing.add(printable(map.entries[i].theirs) + wanted(i));
  for (const auto& scale : map.scales)
    if (tensors.erase(scale.theirs) == 0) missing.add(printable(scale.theirs));
  for (const auto& [name, tensor] : tensors)
    left_over.add(printable(name) + " " + describe(tensor->dtype, tensor->shape));
  if (missing.empty() && left_over.empty()) return;
  throw_file(theirs.path, (missing.empty() ? std::string() : "missing: " + missing.text()) +
                              (missing.empty() || left_over.empty() ? "" : "; ") +
                              (left_over.empty() ? std::string() : "left over: " + left_over.text()));
}

/// Throws where a tensor of theirs is missing, of another shape or type, or left over.
inline void check_theirs(const TensorFile& theirs, const NameMap& map, const TensorFile& ours, const MapPlan& plan,
                         const TensorsByName& tensors) {
  const auto& entries = plan.entries();
  check_names(theirs, map, tensors, [&](std::size_t i) { return " " + describe(entries[i].dtype, entries[i].shape); });
  for (const PlacedEntry& placed : entries)
    check_shape(theirs.path, *tensors.at(placed.entry->theirs), placed.dtype, placed.shape);
  for (std::size_t i = 0; i < map.scales.size(); ++i) {
    const StoredTensor& scaled = ours.tensors[plan.scales()[i]];
    check_shape(theirs.path, *tensors.at(map.scales[i].theirs), scaled.dtype, scale_shape(scaled));
  }
}

/// Gives `ours` the values of theirs; `ours` has its names and shapes already.
inline void take_theirs(const TensorFile& theirs, const NameMap& map, TensorFile& ours) {
  const MapPlan plan(ours, map);
  const auto tensors = known_tensors(theirs);
  check_theirs(theirs, map, ours, plan, tensors);
  for (const PlacedEntry& placed : plan.entries()) read_entry(placed, *tensors.at(placed.entry->theirs), ours);
  for (std::size_t i = 0; i < map.scales.size(); ++i)
    scale_columns(*tensors.at(map.scales[i].theirs), ours.tensors[plan.scales()[i]]);
  for (const std::size_t zero : plan.zeros())
    std::fill(ours.tensors[zero].bytes.begin(), ours.tensors[zero].bytes.end(), std::byte{0});
  for (const PlacedTie& tie : plan.ties()) copy_tied(ours.tensors[tie.of], tie.transposed, ours.tensors[tie.tensor]);
}

/// The tensors of theirs that ours are.
inline TensorFile give_theirs(const TensorFile& ours, const NameMap& map) {
  const MapPlan plan(ours, map);
  for (const std::size_t zero : plan.zeros())
    if (!is_zero(ours.tensors[zero]))
      throw_file(ours.path, "tensor " + printable(ours.tensors[zero].name) +
                                ": wanted zeros, as there is no place for it in this format, given other values");
  for (const PlacedTie& tie : plan.ties()) {
    StoredTensor copy = ours.tensors[tie.tensor];
    copy_tied(ours.tensors[tie.of], tie.transposed, copy);
    if (copy.bytes != ours.tensors[tie.tensor].bytes)
      throw_file(ours.path, "tensor " + printable(copy.name) + ": wanted the values of " +
                                printable(ours.tensors[tie.of].name) + ", to which it is tied, given others");
  }
  TensorFile theirs;
  theirs.metadata = ours.metadata;
  theirs.path = ours.path;
  for (const PlacedEntry& placed : plan.entries()) theirs.tensors.push_back(write_entry(placed, ours));
  for (std::size_t i = 0; i < map.scales.size(); ++i)
    theirs.tensors.push_back(ones_for(map.scales[i].theirs, ours.tensors[plan.scales()[i]]));
  return theirs;
}

/// The floating-point type of a model, F32 where it has none.
inline Dtype float_type_of(const TensorFile& ours) {
  for (const StoredTensor& tensor : ours.tensors)
    if (is_floating(tensor.dtype)) return tensor.dtype;
  return Dtype::f32;
}

/// A file with all that are F16 or BF16 as another floating-point type, which is exact; none where there are none.
inline std::optional<TensorFile> widened(const TensorFile& file, Dtype to) {
  if (std::none_of(file.tensors.begin(), file.tensors.end(), [](const auto& t) { return is_half(t.dtype); }))
    return std::nullopt;
  TensorFile result = file;
  for (StoredTensor& tensor : result.tensors) {
    if (!is_half(tensor.dtype)) continue;
    check_bytes(tensor, file.path);
    tensor.bytes = rounded_bytes(tensor, to);
    tensor.dtype = to;
  }
  return result;
}

}  // namespace detail

/// The tensors of a file of theirs under our names, in our shapes, without a model: as a file that `restore` gives to
/// one, or `write_safetensors` writes. A self-test goes along, as it is the same for both.
///
/// Throws  std::runtime_error with the path and all tensors that are missing or left over, or with the one whose shape
///         is another, wanted and given
inline TensorFile to_ours(const TensorFile& theirs, const NameMap& map) {
  const auto tensors = detail::known_tensors(theirs);
  detail::check_names(theirs, map, tensors, [](std::size_t) { return std::string(); });
  detail::Derived derived(theirs);
  for (const MapEntry& entry : map.entries) derived.add(entry, *tensors.at(entry.theirs));
  for (const auto& zero : map.zeros)
    if (const auto* like = derived.find(zero.like); zero.always && like != nullptr)
      derived.add(zero.ours, like->dtype, {detail::extent_of(like->shape).rows});
  for (const auto& tie : map.ties)
    if (const auto* of = derived.find(tie.of); of != nullptr)
      derived.add(tie.ours, of->dtype,
                  tie.transposed ? detail::Shape(of->shape.rbegin(), of->shape.rend()) : detail::Shape(of->shape));
  TensorFile ours = derived.take();
  detail::take_theirs(theirs, map, ours);
  std::copy_if(theirs.tensors.begin(), theirs.tensors.end(), std::back_inserter(ours.tensors),
               [](const StoredTensor& tensor) { return detail::is_self_test(tensor.name); });
  ours.metadata = theirs.metadata;
  return ours;
}

/// The other way: the tensors of ours, as `to_tensors` gives them or a checkpoint holds them, as a file of theirs. A
/// self-test, which a strict reader of theirs would not know, stays behind.
///
/// Throws  std::runtime_error with the tensor for which the format has no place
inline TensorFile to_theirs(const TensorFile& ours, const NameMap& map) { return detail::give_theirs(ours, map); }

/// Gives `thing`, a layer or anything else with a visit, the values of a file of theirs. Everything is checked before
/// anything changes: each tensor of the file is used exactly once, and each of `thing` has its values from one. A
/// self-test is passed over; `run_self_test(theirs, thing)` runs it.
///
/// F16 and BF16 become the type of the model, which is exact; `convert_floats` makes them half again, bit for bit.
///
///   Lstm<float> lstm(40, 64, random.stream(0));
///   import_tensors(read_safetensors("lstm.safetensors"), torch_recurrent(), lstm);
///
/// Throws  std::runtime_error as `to_ours`, and where the map is not one for `thing`; `thing` is unchanged then
template <class T>
void import_tensors(const TensorFile& theirs, const NameMap& map, T&& thing) {
  TensorFile ours = to_tensors(thing);
  ours.path = theirs.path;
  const auto wide = detail::widened(theirs, detail::float_type_of(ours));
  detail::take_theirs(wide ? *wide : theirs, map, ours);
  restore(ours, thing);
}

/// What `import_tensors` reads: the same bits where they came from a file of theirs.
///
/// Throws  std::runtime_error with the tensor for which the format has no place, or where the map is not one for
///         `thing`
template <class T>
TensorFile export_tensors(const T& thing, const NameMap& map, std::map<std::string, std::string> metadata = {}) {
  return detail::give_theirs(to_tensors(thing, std::move(metadata)), map);
}

}  // namespace minrnn
