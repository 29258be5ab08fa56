// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "minrnn/io/atomic_file.hpp"
#include "support/errors.hpp"

namespace tool {

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
    const auto folder = path_of(file.path).parent_path();
    if (!folder.empty() && !fs::is_directory(folder))
      throw InputError(shown(file.path) + ": there is no folder " + shown(folder.string()));
    const auto target = minrnn::detail::link_target(path_of(file.path));
    const auto place = fs::weakly_canonical(fs::absolute(target));
    for (const auto& other : others) {
      std::error_code error;
      const auto other_place = fs::weakly_canonical(fs::absolute(path_of(other.path)), error);
      if (place == other_place || fs::equivalent(path_of(file.path), path_of(other.path), error))
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
  for (const auto& file : written) minrnn::AtomicFile(path_of(file.path));  // begun, and given up
}

/// The same where what is there already is replaced with --overwrite alone.
inline void check_files(const std::vector<NamedFile>& written, const std::vector<NamedFile>& others, bool overwrite) {
  for (const auto& file : written)
    if (!overwrite && std::filesystem::exists(path_of(file.path)))
      throw InputError(shown(file.path) + ": is there already: --overwrite replaces it");
  check_files(written, others);
}

/// Where the state of a training is kept, beside its checkpoint.
inline std::string resume_path(const std::string& checkpoint) {
  return path_of(checkpoint).replace_extension(".resume.safetensors").string();
}

/// The options of a training that name what it writes.
struct TrainingFiles {
  std::string checkpoint, log;  // empty: none
  bool resume = false, overwrite = false;
};

/// Throws InputError where they do not go together, or would destroy something.
inline void check_files(const TrainingFiles& files, const std::vector<NamedFile>& read) {
  std::vector<NamedFile> written;
  if (files.checkpoint.empty()) {
    if (files.resume) throw InputError("--resume: wanted --checkpoint FILE.safetensors");
  } else {
    const std::string state = resume_path(files.checkpoint);
    if (path_of(files.checkpoint).extension() != ".safetensors")
      throw InputError("--checkpoint: wanted a name that ends in .safetensors, given " + shown(files.checkpoint));
    if (files.resume && !std::filesystem::exists(path_of(state)))
      throw InputError(shown(state) + ": is missing: there is no training to resume");
    written = {{"--checkpoint", files.checkpoint}, {"--checkpoint's training state", state}};
  }
  if (!files.log.empty()) written.push_back({"--log", files.log});
  if (!files.resume && !files.overwrite)
    for (const auto& file : written)
      if (std::filesystem::exists(path_of(file.path)))
        throw InputError(shown(file.path) + ": is there already: --resume goes on from it, --overwrite starts anew");
  check_files(written, read);
}

}  // namespace tool
