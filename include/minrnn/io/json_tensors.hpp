// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/atomic_file.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/stored_numbers.hpp"
#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace minrnn {

/// JSON whose keys stay in their order.
using Json = nlohmann::ordered_json;

/// A model in a file of JSON: its tensors, and all that the file says. Who writes it again keeps what is not a tensor.
struct JsonModel {
  TensorFile file;
  Json document;
};

namespace detail {

/// A JSON file as a document. Throws where it is none, or where an object has a key twice, of which a document would
/// keep one.
inline Json read_json(const std::filesystem::path& path) {
  const std::string text = InputFile(path).read_all();
  if (text.find('\0') != std::string::npos) throw_file(path, "not JSON: a zero byte");
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto see = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw_file(path, printable(value.get<std::string>()) + ": duplicate key");
    return true;
  };
  try {
    return Json::parse(text, see);
  } catch (const Json::exception& failed) {
    throw_file(path, "not JSON: " + printable(failed.what()));
  }
}

inline void write_json(const std::filesystem::path& path, const Json& document) {
  std::string text;
  try {
    text = document.dump();
  } catch (const Json::exception& failed) {  // a name that is not UTF-8
    throw_file(path, "cannot be written: " + printable(failed.what()));
  }
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

/// The value under a key of an object, which must be there.
inline const Json& json_at(const std::filesystem::path& path, const Json& object, const std::string& key) {
  if (!object.is_object() || !object.contains(key)) throw_file(path, printable(key) + ": missing");
  return object.at(key);
}
inline std::string json_text(const std::filesystem::path& path, const Json& object, const std::string& key) {
  const Json& value = json_at(path, object, key);
  if (!value.is_string()) throw_file(path, printable(key) + ": wanted a string, given " + value.type_name());
  return value.get<std::string>();
}
/// The most that a document may say of itself: so many bytes, times two sizes, are counted in 64 bits, and a list of so
/// many layers is a short one.
inline constexpr std::int64_t kMostJsonSize = 1'000'000, kMostJsonLayers = 1'000;
/// A size under a key.
inline Index json_size(const std::filesystem::path& path, const Json& object, const std::string& key,
                       std::int64_t most = kMostJsonSize) {
  const Json& value = json_at(path, object, key);
  const std::int64_t size = value.is_number_integer() ? value.get<std::int64_t>() : 0;
  if (size < 1 || size > most)
    throw_file(path, printable(key) + ": wanted a size of at " +
                         (size < 1 ? "least 1" : "most " + std::to_string(most)) + ", given " +
                         printable(value.dump()));
  return static_cast<Index>(size);
}

/// Numbers of JSON, in arrays of arrays, as a tensor of floats or doubles.
class JsonNumbers {
 public:
  JsonNumbers(const std::filesystem::path& path, const std::string& name, Dtype dtype) : path_(path) {
    tensor_.name = name;
    tensor_.dtype = dtype;
  }
  StoredTensor read(const Json& values) {
    for (const Json* inner = &values; inner->is_array(); inner = &inner->front()) {
      tensor_.shape.push_back(inner->size());
      if (inner->empty() || tensor_.shape.size() > 4) fail("arrays of equal length that are not empty");
    }
    add(values, 0);
    tensor_.bytes = std::move(bytes_);
    return std::move(tensor_);
  }

 private:
  [[noreturn]] void fail(const std::string& wanted) const {
    throw_file(path_, "tensor " + printable(tensor_.name) + ": wanted " + wanted);
  }
  void add(const Json& values, std::size_t depth) {
    if (depth == tensor_.shape.size()) return add_number(values);
    if (!values.is_array() || values.size() != tensor_.shape[depth]) fail("arrays of equal length that are not empty");
    for (const Json& inner : values) add(inner, depth + 1);
  }
  void add_number(const Json& value) {
    if (!value.is_number()) fail(std::string("numbers, given ") + value.type_name());
    const auto number = value.get<double>();
    const auto append = [&](auto rounded) {
      if (!is_finite(rounded)) fail("finite numbers, given " + printable(value.dump()));
      std::byte bytes[sizeof(rounded)];
      copy_little_endian(bytes, &rounded, sizeof(rounded));
      bytes_.insert(bytes_.end(), std::begin(bytes), std::end(bytes));
    };
    if (tensor_.dtype == Dtype::f64)
      append(number);
    else
      append(static_cast<float>(number));
  }

  const std::filesystem::path& path_;
  StoredTensor tensor_;
  std::vector<std::byte> bytes_;
};

/// The numbers of a tensor for a file of JSON at `path`, which knows no others than finite ones.
inline std::vector<double> finite_numbers(const StoredTensor& tensor, const std::filesystem::path& path) {
  auto values = numbers<double>(tensor, Conversion::exact, path);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!is_finite(values[i]))
      throw_tensor(path, tensor.name, "finite numbers", number_text(values[i]) + " as number " + std::to_string(i));
  return values;
}
/// A tensor as arrays of arrays.
inline Json json_of(const StoredTensor& tensor, const std::filesystem::path& path) {
  const auto values = finite_numbers(tensor, path);
  auto next = values.begin();
  const auto write = [&](const auto& self, std::size_t depth) -> Json {
    if (depth == tensor.shape.size()) return *next++;
    Json list = Json::array();
    for (std::uint64_t i = 0; i < tensor.shape[depth]; ++i) list.push_back(self(self, depth + 1));
    return list;
  };
  return write(write, 0);
}

/// The tensors of an object whose values are arrays of numbers: a state dict of PyTorch.
inline void read_state_dict(const Json& object, Dtype dtype, TensorFile& file) {
  if (!object.is_object()) throw_file(file.path, "wanted an object of tensors");
  for (const auto& [name, values] : object.items())
    file.tensors.push_back(JsonNumbers(file.path, name, dtype).read(values));
}
inline Json state_dict_of(const TensorFile& file, const std::filesystem::path& path) {
  Json object = Json::object();
  for (const StoredTensor& tensor : file.tensors) object[tensor.name] = json_of(tensor, path);
  return object;
}

}  // namespace detail

/// Tensors as a state dict of PyTorch in JSON, {name: arrays of arrays of numbers}, rounded to `dtype`: what RTNeural's
/// examples for PyTorch read.
///
/// Throws  std::runtime_error with the path and the reason
inline TensorFile read_json_tensors(const std::filesystem::path& path, Dtype dtype = Dtype::f32) {
  TensorFile file;
  file.path = path;
  detail::read_state_dict(detail::read_json(path), dtype, file);
  return file;
}
/// Throws std::runtime_error with the path and the reason where writing fails, or a number is not finite.
inline void write_json_tensors(const std::filesystem::path& path, const TensorFile& file) {
  detail::write_json(path, detail::state_dict_of(file, path));
}

}  // namespace minrnn
