// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "minrnn/io/atomic_file.hpp"
#include "text.hpp"

namespace char_lm {

/// A file, and the option that names it.
struct NamedFile {
  std::string option, path;
};

/// Throws InputError or std::runtime_error where a file cannot be written, or writing it would destroy another one:
/// every file that is written must differ, through all links, from every one that is read and from the others that are
/// written, and none may have a name by which `AtomicFile` would take it for a temporary file. Leaves all files as they
/// are.
inline void check_files(const std::vector<NamedFile>& written, std::vector<NamedFile> others) {
  namespace fs = std::filesystem;
  // Where the progress goes into a file, the log or a checkpoint cannot be that file.
  for (const auto& [option, path] : {NamedFile{"standard output", "/dev/stdout"}, {"standard error", "/dev/stderr"}}) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) others.push_back({option, path});
  }
  for (const auto& file : written) {
    const auto folder = fs::path(file.path).parent_path();
    if (!folder.empty() && !fs::is_directory(folder))
      throw InputError(shown(file.path) + ": there is no folder " + shown(folder.string()));
    const auto target = minrnn::detail::link_target(file.path);
    const auto place = fs::weakly_canonical(fs::absolute(target));
    for (const auto& other : others) {
      std::error_code error;
      const auto other_place = fs::weakly_canonical(fs::absolute(other.path), error);
      if (place == other_place || fs::equivalent(file.path, other.path, error))
        throw InputError(file.option + ": is the file of " + other.option + ": " + shown(file.path));
      const auto temporary_of = [](const fs::path& one, const fs::path& another) {
        return one.parent_path() == another.parent_path() &&
               minrnn::detail::temporary_number(one.filename().string(), another.filename().string()) >= 0;
      };
      if (temporary_of(other_place, place))
        throw InputError(other.option + ": has the name of a temporary file of " + file.option + ": " +
                         shown(other.path));
      if (temporary_of(place, other_place))
        throw InputError(file.option + ": has the name of a temporary file of " + other.option + ": " +
                         shown(file.path));
    }
    others.push_back({file.option, target.string()});
  }
  for (const auto& file : written) minrnn::AtomicFile(file.path);  // begun, and given up
}

}  // namespace char_lm
