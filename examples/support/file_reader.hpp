// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "support/console.hpp"
#include "support/errors.hpp"

namespace tool {

/// Gives the next bytes of a file of any length, or of standard input where its name is "-"; none at its end.
class FileReader {
 public:
  explicit FileReader(const std::string& path) : path_(path) {
    if (path == "-") {
      make_binary(stdin);
      return;
    }
    std::error_code error;
    if (std::filesystem::is_directory(path_of(path), error)) throw InputError(shown(path) + ": is a directory");
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (file_ == nullptr) throw InputError(shown(path) + ": cannot be opened: " + std::strerror(errno));
    const auto size = std::filesystem::file_size(path_of(path), error);
    if (!error) size_ = size;
  }
  /// Valid until the next call.
  std::string_view read(std::size_t most) {
    piece_.resize(most);
    std::FILE* file = file_ == nullptr ? stdin : file_.get();
    const std::size_t count = std::fread(piece_.data(), 1, most, file);
    if (std::ferror(file) != 0) throw InputError(shown(path_) + ": cannot be read: " + std::strerror(errno));
    return {piece_.data(), count};
  }
  /// In bytes; 0 where the system cannot tell.
  std::uint64_t size() const { return size_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_, piece_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t size_ = 0;
};

}  // namespace tool
