// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <vector>

#include "commands.hpp"
#include "formats.hpp"
#include "minrnn/io/input_file.hpp"
#include "minrnn/io/map_tensors.hpp"
#include "minrnn/io/safetensors.hpp"
#include "model_of.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace convert {

using minrnn::TensorFile;

int convert(const Settings& settings) {
  using namespace tool;
  std::vector<NamedFile> read{{"FROM", settings.from}};
  if (!settings.like.empty()) read.push_back({"--like", settings.like});
  check_files({{"TO", settings.to}}, read, settings.overwrite);

  TensorFile written;
  if (settings.like.empty()) {
    const Theirs theirs = read_theirs(settings.from, settings);
    written = minrnn::to_ours(theirs.file, theirs.map);
    if (!theirs.cells.empty()) written.metadata[kCellsKey] = theirs.cells;
    if (!theirs.part.empty()) written.metadata[kPartKey] = theirs.part;
    minrnn::write_safetensors(path_of(settings.to), written);
  } else {
    const Theirs like = read_theirs(settings.like, settings);
    TensorFile ours = minrnn::read_safetensors(path_of(settings.from), minrnn::FileAccess::map);
    ours.metadata = like.file.metadata;
    written = minrnn::to_theirs(ours, like.map);
    write_theirs(settings.to, written, like, settings);
  }
  say("%s: %zu tensors\n", shown(settings.to).c_str(), written.tensors.size());
  return 0;
}

}  // namespace convert
