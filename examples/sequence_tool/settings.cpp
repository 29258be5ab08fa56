// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "settings.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "csv.hpp"

namespace sequence_tool {

const char* name_of(Source source) {
  return source == Source::table ? "table" : source == Source::pixels ? "pixels" : "rows";
}
const char* name_of(Task task) { return task == Task::regression ? "regression" : "classification"; }

Index ModelSettings::inputs() const {
  if (source == Source::table) return static_cast<Index>(columns.features.size());
  return source == Source::rows ? image_columns : 1;
}

Metadata ModelSettings::metadata() const {
  Metadata metadata{{"program", program_name},
                    {"task", name_of(task)},
                    {"input", name_of(source)},
                    {"mixer", mixer},
                    {"pool", pool},
                    {"layers", std::to_string(layers)},
                    {"dim", std::to_string(dim)},
                    {"expansion", std::to_string(expansion)},
                    {"kernel", std::to_string(kernel)},
                    {"bidirectional", bidirectional ? "yes" : "no"},
                    {"dropout", number_text(dropout)}};
  if (attends()) metadata.insert({{"heads", std::to_string(heads)}, {"window", std::to_string(window)}});
  if (source == Source::table) {
    std::vector<std::string> names{columns.id, columns.time, columns.target};
    names.insert(names.end(), columns.features.begin(), columns.features.end());
    metadata["columns"] = csv_record(names);
  } else {
    metadata.insert({{"image_rows", std::to_string(image_rows)}, {"image_columns", std::to_string(image_columns)}});
  }
  if (task == Task::classification) metadata["classes"] = csv_record(classes);
  return metadata;
}

namespace {
/// The one of these whose name the metadata have under the key.
template <class T>
T choice(const MetadataReader& metadata, const std::string& key, std::initializer_list<T> choices) {
  for (const T one : choices)
    if (metadata.text(key) == name_of(one)) return one;
  metadata.refuse(key);
}

std::vector<std::string> list(const MetadataReader& metadata, const std::string& key, std::size_t least) {
  try {
    auto fields = fields_of(metadata.text(key));
    const auto is_empty = [](const std::string& field) { return field.empty(); };
    if (fields.size() >= least && std::none_of(fields.begin(), fields.end(), is_empty)) return fields;
  } catch (const InputError&) {
    metadata.text(key);  // it may be that there is none
  }
  metadata.refuse(key);
}
}  // namespace

ModelSettings ModelSettings::from(const minrnn::TensorFile& file) {
  const MetadataReader metadata(file);
  ModelSettings settings;
  settings.task = choice(metadata, "task", {Task::classification, Task::regression});
  settings.source = choice(metadata, "input", {Source::table, Source::pixels, Source::rows});
  settings.mixer = metadata.text("mixer");
  settings.pool = metadata.text("pool");
  if (settings.pool != "last" && settings.pool != "mean" && settings.pool != "max") metadata.refuse("pool");
  settings.layers = metadata.number("layers", Index{1}, kMostSize);
  settings.dim = metadata.number("dim", Index{1}, kMostSize);
  settings.expansion = metadata.number("expansion", Index{1}, kMostSize);
  settings.kernel = metadata.number("kernel", Index{1}, kMostSize);
  settings.bidirectional = metadata.text("bidirectional") == "yes";
  settings.dropout = metadata.number("dropout", 0.0, 1.0);
  if (settings.attends()) {
    settings.heads = metadata.number("heads", Index{1}, kMostSize);
    settings.window = metadata.number("window", Index{1}, kMostWindow);
  }
  if (settings.source == Source::table) {
    auto names = list(metadata, "columns", 4);
    settings.columns = {names[0], names[1], names[2], {names.begin() + 3, names.end()}};
  } else {
    settings.image_rows = metadata.number("image_rows", Index{1}, kMostSize);
    settings.image_columns = metadata.number("image_columns", Index{1}, kMostSize);
  }
  if (settings.task == Task::classification) settings.classes = list(metadata, "classes", 2);
  metadata.check_blocks(file, "model/blocks/", settings.layers);
  const auto d = static_cast<double>(settings.dim), inner = d * static_cast<double>(settings.expansion);
  const bool is_recurrent = settings.mixer == "gru" || settings.mixer == "lstm";
  const double of_block = inner * d + (is_recurrent ? inner * inner : 0) +
                          (settings.attends() ? 0 : d * static_cast<double>(settings.kernel));
  metadata.check_size(file, static_cast<double>(settings.layers) * of_block +
                                d * static_cast<double>(settings.inputs() + settings.outputs()));
  return settings;
}

}  // namespace sequence_tool
