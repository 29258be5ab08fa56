// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#ifdef _WIN32
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

#ifndef __cpp_exceptions
#error "minrnn/io says by exceptions what is wrong with a file: compile what includes it without -fno-exceptions"
#endif

namespace minrnn {

namespace detail {

[[noreturn]] inline void throw_file(const std::filesystem::path& path, const std::string& reason) {
  throw std::runtime_error((path.empty() ? std::string("(memory)") : path.string()) + ": " + reason);
}
inline std::string error_text(int error) { return std::generic_category().message(error); }

/// A file of this name that was not there before; null, and errno says why, where that cannot be had.
inline std::FILE* open_new_file(const std::filesystem::path& path) {
#ifdef _WIN32
  return ::_wfopen(path.c_str(), L"wbx");
#else
  return std::fopen(path.c_str(), "wbx");
#endif
}

/// Hands what was written to the disk. False, and errno says why, where that failed.
inline bool flush_to_disk(std::FILE* file) {
  if (std::fflush(file) != 0) return false;
#ifdef _WIN32
  return ::_commit(::_fileno(file)) == 0;
#else
  return ::fsync(::fileno(file)) == 0;
#endif
}

/// Hands the names in a directory to the disk, where the system knows of that.
inline bool flush_directory([[maybe_unused]] const std::filesystem::path& directory) {
#ifdef _WIN32
  return true;
#else
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool flushed = ::fsync(descriptor) == 0 || errno == EINVAL;  // EINVAL: not in this file system
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return flushed;
#endif
}

}  // namespace detail

/// A file that appears under its name whole or not at all: written beside it as "<path>.<number>.tmp", flushed to the disk,
/// then renamed. What had the name before stays until that moment, and for good where anything fails. A symbolic link is
/// replaced, not followed.
///
/// Throws  std::runtime_error with the path and the reason; the temporary file is gone by then;
///         std::logic_error for a use after `commit` or after such an error
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    if (!path_.has_filename()) detail::throw_file(path_, "cannot be written: not the name of a file");
    std::error_code error;
    const auto status = std::filesystem::status(path_, error);
    // A rename would put a file in the place of a device.
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
      detail::throw_file(path_, "cannot be written: there is something that is not a regular file");
    for (int number = 0; file_ == nullptr; ++number) {
      temporary_ = path_;
      temporary_ += ".";
      temporary_ += std::to_string(number);
      temporary_ += ".tmp";
      file_ = detail::open_new_file(temporary_);
      const int error_number = errno;
      if (file_ == nullptr && (error_number != EEXIST || number == kMostTemporaries))
        detail::throw_file(
            path_, "cannot be written: " + temporary_.filename().string() + ": " + detail::error_text(error_number));
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  void write(const void* data, std::size_t size) {
    check_open();
    if (size > 0 && std::fwrite(data, 1, size, file_) != size) fail("cannot be written: " + detail::error_text(errno));
  }

  /// Gives the file its name; nothing can be written after that.
  void commit() {
    check_open();
    if (!detail::flush_to_disk(file_)) fail("cannot be flushed to the disk: " + detail::error_text(errno));
    if (std::fclose(std::exchange(file_, nullptr)) != 0) fail("cannot be closed: " + detail::error_text(errno));
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) fail("cannot be given its name: " + error.message());
    temporary_.clear();
    const auto directory = path_.parent_path();
    if (!detail::flush_directory(directory.empty() ? "." : directory))
      detail::throw_file(path_,
                         "is written, but its directory cannot be flushed to the disk: " + detail::error_text(errno));
  }

 private:
  static constexpr int kMostTemporaries = 1000;  // of other writers now, and left behind by a power cut

  void check_open() const {
    if (file_ == nullptr) throw std::logic_error("AtomicFile: " + path_.string() + ": used after its end");
  }
  void discard() noexcept {
    if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
    temporary_.clear();
  }
  [[noreturn]] void fail(const std::string& reason) {
    discard();
    detail::throw_file(path_, reason);
  }

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

}  // namespace minrnn
