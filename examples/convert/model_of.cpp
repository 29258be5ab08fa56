// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "model_of.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "minrnn/cells/weights_header.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/printable.hpp"
#include "support/errors.hpp"

namespace convert {
namespace {

using minrnn::TensorFile;

std::string metadatum(const TensorFile& file, const char* key) {
  const auto entry = file.metadata.find(key);
  return entry == file.metadata.end() ? std::string() : entry->second;
}

float scale(const TensorFile& file, const char* name) {
  const auto numbers = minrnn::numbers<double>(file, name);
  if (numbers.size() != 1)
    throw tool::InputError(tool::shown(file.path.string()) + ": " + name + ": wanted one number");
  return static_cast<float>(numbers.front());
}

/// The cells by which amp plays: one or two mixers and an output, of signals that are scaled before and behind.
Model model_of_amp(const TensorFile& file) {
  constexpr std::array<std::pair<const char*, const char*>, 5> kMixers{{{"mingru", "MinGru"},
                                                                        {"signed-mingru", "signed MinGru"},
                                                                        {"diagonal-gru", "DiagonalGru"},
                                                                        {"gru", "Gru"},
                                                                        {"lstm", "Lstm"}}};
  const std::string mixer = metadatum(file, "mixer"), layers = metadatum(file, "layers"),
                    rate = metadatum(file, "rate");
  std::string cells;
  for (const auto& [name, cell] : kMixers)
    if (mixer == name) cells = layers == "2" ? std::string(cell) + ", " + cell : cell;
  const bool is_number = !rate.empty() && rate.size() < 9 && rate.find_first_not_of("0123456789") == std::string::npos;
  if (cells.empty() || (layers != "1" && layers != "2") || !is_number)
    throw tool::InputError(tool::shown(file.path.string()) + ": its metadata are not those of a model of amp");
  const std::string input = minrnn::detail::literal_of(scale(file, "scale/input")),
                    output = minrnn::detail::literal_of(scale(file, "scale/output"));
  return {cells + ", Linear",
          "model",
          "  // Samples are multiplied with kInputScale before the step, and its answers with kOutputScale.\n"
          "  static constexpr float kInputScale = " +
              input + ", kOutputScale = " + output + ";\n  static constexpr long kSampleRate = " + rate + ";\n",
          {},
          "y = Weights::kOutputScale * model.step(Weights::kInputScale * x, state);"};
}

/// What the state of an LSTM of Neural Amp Modeler begins with, which is not zero: layer l has it as state/0/l/h and c.
void add_first_state(const TensorFile& file, const std::string& part, Model& model) {
  for (const minrnn::StoredTensor& tensor : file.tensors) {
    const std::string begin = "state/0/", name = tensor.name;
    const bool is_h = name.ends_with("/h");
    if (part != "net" || !name.starts_with(begin) || !(is_h || name.ends_with("/c"))) continue;
    const std::string layer = name.substr(begin.size(), name.size() - begin.size() - 2), letter = is_h ? "H" : "C";
    std::string list;
    std::size_t count = 0;
    for (const float number : minrnn::numbers<float>(tensor, minrnn::Conversion::exact, file.path)) {
      const std::string literal = minrnn::detail::literal_of(number);
      list += (count++ == 0 ? "" : count % 8 == 1 ? ",\n      " : ", ") + literal;
    }
    if (model.first_state.empty()) model.constants += "  // What the state of the model begins with.\n";
    const std::string constant = "kFirst" + letter + layer, size = std::to_string(count);
    model.constants += "  static constexpr float " + constant + "[" + size + "] = {\n      " + list + "};\n";
    model.first_state.push_back("std::copy_n(Weights::" + constant + ", " + size + ", std::get<" + layer + ">(state)." +
                                (is_h ? "h" : "c") + ".data());");
  }
}

}  // namespace

Model model_of(const TensorFile& file, const Settings& settings) {
  const std::string program = metadatum(file, "program");
  Model model{metadatum(file, kCellsKey), metadatum(file, kPartKey), {}, {}, {}};
  if (program == "amp") model = model_of_amp(file);
  if ((program == "sequence_tool" || program == "char_lm") && settings.cells.empty())
    throw tool::InputError(tool::shown(file.path.string()) + ": is a model of " + program +
                           ", which is not made of cells alone: wanted --cells, and --part of what is");
  if (!settings.cells.empty()) model.cells = settings.cells;
  if (!settings.part.empty()) model.part = settings.part;
  add_first_state(file, model.part, model);
  return model;
}

}  // namespace convert
