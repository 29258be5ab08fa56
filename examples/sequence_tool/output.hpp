// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "minrnn/io/atomic_file.hpp"
#include "support/console.hpp"
#include "support/files.hpp"

namespace sequence_tool {

using namespace tool;

/// A file to write, or standard output where it has no name.
struct Output {
  std::string path;
  bool overwrite = false;

  /// Throws where it cannot be written, or would destroy something.
  void check(const std::vector<NamedFile>& read) const {
    if (!path.empty()) check_files({{"--output", path}}, read, overwrite);
  }
  void write(const std::string& text) const {
    if (path.empty()) {
      make_binary(stdout);
      std::fwrite(text.data(), 1, text.size(), stdout);
      return flush_output();
    }
    minrnn::AtomicFile file(path_of(path));
    file.write(text.data(), text.size());
    file.commit();
  }
};

}  // namespace sequence_tool
