// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <locale>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cell_kinds.hpp"
#include "cell_text.hpp"
#include "commands.hpp"
#include "minrnn/cells/narrow_weights.hpp"
#include "minrnn/cells/weights_header.hpp"
#include "minrnn/cells/weights_size.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/io/atomic_file.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/io/tensor_file.hpp"
#include "model_of.hpp"
#include "support/checkpoints.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace convert {
namespace {

using minrnn::StoredTensor, minrnn::TensorFile, minrnn::detail::WeightsSize;
using tool::InputError, tool::shown;

/// The layers of a file, or of a part of it, in its order: what has one path before the last name.
std::vector<LayerTensors> layers_of(const TensorFile& file, const std::string& part, minrnn::Conversion conversion) {
  std::vector<LayerTensors> layers;
  const std::string begin = part.empty() ? "" : part + "/";
  for (const StoredTensor& tensor : file.tensors) {
    if (minrnn::detail::is_self_test(tensor.name) || !tensor.name.starts_with(begin)) continue;
    const std::size_t slash = tensor.name.rfind('/');
    const std::string path = slash == std::string::npos ? "" : tensor.name.substr(0, slash);
    auto layer = std::find_if(layers.begin(), layers.end(), [&](const auto& other) { return other.path == path; });
    if (layer == layers.end()) layer = layers.insert(layers.end(), {{{}, {}, file.path}, path, conversion});
    layer->file.tensors.push_back(tensor);
  }
  return layers;
}

/// "0: w_z, b_z, w_h, b_h; 1: w, b", of the first of them.
std::string list_of(const std::vector<LayerTensors>& layers) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(layers.size(), kMost); ++i)
    text += (i == 0 ? "" : "; ") + (layers[i].path.empty() ? "" : minrnn::printable(layers[i].path) + ": ") +
            layers[i].leaves();
  return layers.size() > kMost ? text + " and " + std::to_string(layers.size() - kMost) + " more" : text;
}

/// What cells say of themselves, their type, and their sizes.
struct Built {
  std::string cells, type;
  Index inputs, outputs;
};

/// Weights of cells one behind the other: all of them scalars, or the matrices as elements T of few bits.
template <class S, class T>
class Weights {
  static constexpr bool kInFull = std::is_same_v<S, T>;
  using Narrow = minrnn::detail::NarrowPointer<const S, const T>;

 public:
  void add(const Product<S>& product) {
    if constexpr (kInFull) {
      numbers_.insert(numbers_.end(), product.w.data(), product.w.data() + product.w.size());
    } else {
      const WeightsSize matrix = product.matrix_size();
      const Index rows = product.w.rows() / product.gates, elements = matrix.elements / product.gates;
      const std::size_t first = elements_.size(), scales = numbers_.size();
      elements_.resize(first + static_cast<std::size_t>(matrix.elements));
      numbers_.resize(scales + static_cast<std::size_t>(Narrow::numbers_of(matrix)));
      for (Index gate = 0; gate < product.gates; ++gate) {
        S* const of_rows = Narrow::numbers_of(matrix) > 0 ? numbers_.data() + scales + gate * rows : nullptr;
        minrnn::detail::store_rows(product.w, gate * rows, rows, product.w.cols(),
                                   elements_.data() + first + gate * elements, of_rows);
      }
    }
    numbers_.insert(numbers_.end(), product.numbers.begin(), product.numbers.end());
    size_ = size_ + product.size();
  }
  /// To where the next cell of a chain begins.
  void fill_up() {
    size_ = size_.aligned();
    if constexpr (kInFull)
      numbers_.resize(static_cast<std::size_t>(size_.full));
    else
      elements_.resize(static_cast<std::size_t>(size_.elements));
  }

  WeightsSize size() const { return size_; }
  auto data() const {
    if constexpr (kInFull)
      return numbers_.data();
    else
      return Narrow{elements_.data(), numbers_.data()};
  }

 private:
  std::vector<T> elements_;
  std::vector<S> numbers_;
  WeightsSize size_;
};

/// Puts the weights of layers into cells, one layer after the other.
template <class S, class T>
class Builder {
 public:
  explicit Builder(const std::vector<LayerTensors>& layers, std::string path)
      : layers_(layers), path_(std::move(path)) {}

  /// `inputs` is what stands before gives, 0 at the beginning; `place` is the number in the chain.
  Built build(const CellText& text, const std::string& place, Index inputs) {
    if (text.kind.empty()) return chain(text, place, inputs);
    if (text.kind == "Residual") return residual(text, place, inputs);
    return single(text, place, inputs);
  }
  void check_end() const {
    if (next_ < layers_.size())
      throw InputError(
          path_ + ": left over: " + list_of({layers_.begin() + static_cast<std::ptrdiff_t>(next_), layers_.end()}));
  }

  Weights<S, T> weights;
  std::vector<minrnn::detail::HeaderPart> parts;
  std::set<std::string> headers;

 private:
  Built chain(const CellText& text, const std::string& place, Index inputs) {
    Built all{"(", "minrnn::CellChain<", 0, inputs};
    for (std::size_t i = 0; i < text.inner.size(); ++i) {
      const std::string number = std::to_string(i), comma = i == 0 ? "" : ", ";
      const Built cell = build(text.inner[i], place.empty() ? number : place + '/' + number, all.outputs);
      if (i == 0) all.inputs = cell.inputs;
      all.outputs = cell.outputs;
      all.cells += comma + cell.cells;
      all.type += comma + cell.type;
      weights.fill_up();
    }
    headers.insert("cell_chain.hpp");
    return {all.cells + ')', all.type + '>', all.inputs, all.outputs};
  }
  Built residual(const CellText& text, const std::string& place, Index inputs) {
    const Built inner = build(text.inner.front(), place, inputs);
    if (inner.inputs != inner.outputs)
      throw InputError(path_ + ": Residual: wanted cells with as many features out as in, given " + inner.cells);
    headers.insert("residual_cell.hpp");
    return {"Residual " + inner.cells, "minrnn::ResidualCell<" + inner.type + '>', inner.inputs, inner.outputs};
  }
  Built single(const CellText& text, const std::string& place, Index inputs) {
    const CellKind& kind = cell_kind(text.kind);
    PackedCell<S> cell = kind.pack_floats == nullptr ? without_weights(kind, text, inputs) : next(kind);
    if (text.sizes.size() == kind.sizes && kind.sizes > cell.sizes.size() && text.sizes.back() > 1)
      cell.sizes.push_back(text.sizes.back());
    std::string sizes;
    for (const Index size : cell.sizes) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
    const std::string cells = kind.name + '(' + sizes + ')';
    if (!text.sizes.empty() && text.sizes != cell.sizes)
      throw InputError(path_ + ": has " + cells + " where --cells has other sizes of " + kind.name);
    if (inputs != 0 && cell.inputs != inputs)
      throw InputError(path_ + ": " + cells + " stands behind " + std::to_string(inputs) + " features");
    minrnn::detail::HeaderPart part{place, cells, kind.layout, weights.size(), {}};
    for (const Product<S>& product : cell.products) {
      weights.add(product);
      part.size = part.size + product.size();
    }
    parts.push_back(part);
    headers.insert(kind.header);
    const std::string scalar = std::is_same_v<S, float> ? "float" : "double";
    return {cells, "minrnn::" + kind.type + '<' + scalar + ", " + sizes + kind.more + '>', cell.inputs, cell.outputs};
  }
  PackedCell<S> next(const CellKind& kind) {
    if (next_ == layers_.size()) throw InputError(path_ + ": has no more layers for a " + kind.name + " of the cells");
    return pack<S>(kind, layers_[next_++]);
  }
  PackedCell<S> without_weights(const CellKind& kind, const CellText& text, Index inputs) const {
    const Index features = inputs == 0 && !text.sizes.empty() ? text.sizes.front() : inputs;
    if (kind.sizes == 1) {
      if (features == 0) throw InputError("--cells: wanted the size of the first cell, as " + kind.name + "(16)");
      return {{features}, features, features, {}};
    }
    if (text.sizes.size() < 2)
      throw InputError("--cells: wanted the features and the taps of " + kind.name + ", as " + kind.name + "(16, 3)");
    return {{features, text.sizes[1]}, features, features * text.sizes[1], {}};
  }

  const std::vector<LayerTensors>& layers_;
  std::string path_;
  std::size_t next_ = 0;
};

/// Words as lines of comments, at most 120 columns wide where they can be.
std::string comment(const std::string& text, const std::string& indent) {
  std::istringstream words(text);
  std::string lines, line, word;
  while (words >> word) {
    if (!line.empty() && line.size() + word.size() >= 120) {
      lines += line + '\n';
      line.clear();
    }
    line += line.empty() ? "//" + (lines.empty() ? std::string(3, ' ') : indent) + word : ' ' + word;
  }
  return lines + line + '\n';
}

/// How a program takes the header.
std::string usage(const Built& built, std::set<std::string> headers, const Model& model, const std::string& name) {
  const bool single = built.inputs == 1 && built.outputs == 1;
  std::string text = "//\n";
  headers.insert("cell_view.hpp");
  for (const std::string& header : headers) text += "//   #include <minrnn/cells/" + header + ">\n";
  text += comment("using Model = " + built.type + ';', std::string(7, ' ')) +
          "//   static constexpr minrnn::CellView<Model> model(" + name +
          "::Weights{});\n//   Model::State state = model.initial_state();\n";
  if (!model.step.empty() || !model.first_state.empty()) text += "//   using " + name + "::Weights;\n";
  for (const std::string& line : model.first_state) text += "//   " + line + '\n';
  if (!model.step.empty())
    text += "//   " + model.step + '\n';
  else
    text += std::string("//   y = model.step(x, state);  // ") +
            (single ? "a number in, a number out\n"
                    : "Model::Input and Model::Output: " + std::to_string(built.inputs) + " features in, " +
                          std::to_string(built.outputs) + " out\n");
  return text;
}

/// T: of the matrices, S itself where they are not narrow.
template <class S, class T>
std::string header_of(const std::vector<LayerTensors>& layers, const Model& model, const std::string& name) {
  const std::string path = shown(layers.front().file.path.string());
  Builder<S, T> builder(layers, path);
  Built built = builder.build(parse_cells(model.cells), "", 0);
  builder.check_end();
  if constexpr (!std::is_same_v<S, T>) {
    const std::string format = std::is_same_v<T, std::int8_t> ? "int8" : "bf16";
    built.cells = format + ' ' + built.cells;
    built.type = "minrnn::QuantisedCell<" + built.type + ", minrnn::WeightFormat::" + format + '>';
    builder.headers.insert("quantised_cell.hpp");
  }
  std::ostringstream out;
  out.imbue(std::locale::classic());
  const minrnn::detail::HeaderContent<decltype(builder.weights.data())> content{
      built.cells,
      builder.weights.data(),
      builder.weights.size(),
      builder.parts,
      usage(built, builder.headers, model, name),
      model.constants};
  minrnn::detail::write_header<S>(out, content, name);
  return out.str();
}
template <class S>
std::string header_of(const std::vector<LayerTensors>& layers, const Model& model, const std::string& name,
                      std::optional<minrnn::WeightFormat> format) {
  if (!format) return header_of<S, S>(layers, model, name);
  if (*format == minrnn::WeightFormat::int8) return header_of<S, std::int8_t>(layers, model, name);
  return header_of<S, std::uint16_t>(layers, model, name);
}

/// An identifier of the name of the file.
std::string namespace_of(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
  return name.empty() || (name.front() >= '0' && name.front() <= '9') ? "weights_" + name : name;
}

}  // namespace

int write_header(const Settings& settings) {
  tool::check_files({{"--output", settings.to}}, {{"MODEL", settings.from}}, settings.overwrite);
  const std::string name = settings.name_space.empty() ? namespace_of(settings.to) : settings.name_space;
  if (!minrnn::detail::names_a_namespace(name))
    throw InputError("--namespace: wanted identifiers, :: between them, " + tool::given(name));
  const TensorFile file = minrnn::read_safetensors(tool::path_of(settings.from), minrnn::FileAccess::map);
  const Model model = model_of(file, settings);
  const auto layers =
      layers_of(file, model.part, settings.floats ? minrnn::Conversion::nearest : minrnn::Conversion::half);
  if (layers.empty())
    throw InputError(shown(settings.from) + ": has no tensor" +
                     (model.part.empty() ? "" : " under " + minrnn::printable(model.part)));
  if (model.cells.empty())
    throw InputError(shown(settings.from) + ": its metadata do not say which cells it is for: wanted --cells, as " +
                     "--cells \"MinGru, Linear\", for " + list_of(layers));
  tool::check_finite(file, model.part.empty() ? "" : model.part + "/");
  const bool doubles = !settings.floats && layers.front().file.tensors.front().dtype == minrnn::Dtype::f64;
  const std::string text = doubles ? header_of<double>(layers, model, name, settings.weights)
                                   : header_of<float>(layers, model, name, settings.weights);
  minrnn::AtomicFile to(tool::path_of(settings.to));
  to.write(text.data(), text.size());
  to.commit();
  tool::say("%s: %s::Weights of %zu layers\n", shown(settings.to).c_str(), name.c_str(), layers.size());
  return 0;
}

}  // namespace convert
