// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "minrnn/io/printable.hpp"

/// What the programs of this folder share.
namespace tool {

/// Input that the user must change: one line on standard error, exit status 2.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// What the command is to write cannot be written: one line on standard error, exit status 1.
struct OutputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The loss or the weights are no finite numbers any more: exit status 1.
struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The file of this name in UTF-8. (On Windows it depends on the library what a path makes of a std::string.)
inline std::filesystem::path path_of(std::string_view name) { return std::u8string(name.begin(), name.end()); }

/// A path as a message shows it.
inline std::string shown(std::string_view path) {
  return path == "-" ? "standard input" : minrnn::printable(path, 1000);
}

/// What stood there instead, as a message shows it.
inline std::string given(std::string_view text) {
  return "given " + (text.empty() ? "nothing" : minrnn::printable(text));
}

}  // namespace tool
