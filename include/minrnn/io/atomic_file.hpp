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

#include "minrnn/io/printable.hpp"
#include "minrnn/io/temporary_file.hpp"

namespace minrnn {

/// A file that appears under its name whole or not at all: written beside it as "<path>.<number>.minrnn.tmp", flushed
/// to the disk, then renamed. What had the name before stays until that moment, and for good where anything fails; its
/// permissions, and where the system allows it its owner, go over to the new file. Where the name is a symbolic link,
/// all of this is done with the file that it leads to. What a writer that was killed has left behind is removed by the
/// next one.
///
/// Throws  std::runtime_error with the path and the reason; the temporary file is gone by then;
///         std::logic_error for a use after `commit` or after such an error
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    if (!path_.has_filename()) detail::throw_file(path_, "cannot be written: not the name of a file");
    target_ = detail::link_target(path_);
    std::error_code error;
    const auto status = std::filesystem::status(target_, error);
    // A rename would put a file in the place of a device.
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
      detail::throw_file(path_, "cannot be written: there is something that is not a regular file");
    detail::remove_leftovers(target_);
    for (int number = 0; file_ == nullptr; ++number) {
      temporary_ = target_;
      temporary_ += ".";
      temporary_ += std::to_string(number);
      temporary_ += detail::kTemporary;
      file_ = detail::open_temporary(temporary_, target_);
      const int error_number = errno;
      if (file_ == nullptr && (error_number != EEXIST || number == kMostTemporaries))
        detail::throw_file(path_, "cannot be written: " + printable(detail::text_of(temporary_.filename())) + ": " +
                                      detail::error_text(error_number));
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
#ifdef _WIN32  // renames no open file
    if (std::fclose(std::exchange(file_, nullptr)) != 0) fail("cannot be closed: " + detail::error_text(errno));
#endif
    std::error_code error;
    std::filesystem::rename(temporary_, target_, error);
    if (error) fail("cannot be given its name: " + error.message());
    temporary_.clear();
    discard();  // nothing but the lock
    // What has its name is written. A directory that cannot be flushed, as in many network file systems, means that the
    // new name may reach the disk a little later, not that there is anything to do again.
    const auto directory = target_.parent_path();
    detail::flush_directory(directory.empty() ? "." : directory);
  }

 private:
  static constexpr int kMostTemporaries = 1000;  // of other writers that are at work now

  void check_open() const {
    if (file_ == nullptr)
      throw std::logic_error("AtomicFile: " + printable(detail::text_of(path_)) + ": used after its end");
  }
  /// Takes the name away before the lock: without it another writer may have the name for a file of its own.
  void discard() noexcept {
#ifdef _WIN32  // removes no open file
    if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
#endif
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
    temporary_.clear();
    if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
  }
  [[noreturn]] void fail(const std::string& reason) {
    discard();
    detail::throw_file(path_, reason);
  }

  std::filesystem::path path_, target_, temporary_;  // as given; what it leads to; what is written
  std::FILE* file_ = nullptr;
};

}  // namespace minrnn
