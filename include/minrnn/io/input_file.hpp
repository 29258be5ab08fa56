// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <system_error>

#if defined(_WIN32)
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <io.h>
#include <windows.h>
#elif __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define MINRNN_HAS_MMAP
#endif

#include "minrnn/io/temporary_file.hpp"
#include "minrnn/io/tensor_file.hpp"

namespace minrnn {

/// How the bytes of a file come into memory.
///   copy   all of them are read into memory of their own. Whatever then happens to the file changes nothing.
///   map    the system shows the file in memory and reads what is looked at, when it is: nothing is copied, and what
///          nobody asks for is never read. Where the system cannot, it is as `copy`. The file must not be written or
///          cut in place as long as a tensor shows it, or the tensor changes, or the process gets a signal (SIGBUS). A
///          file that takes its name, as `AtomicFile` makes one, does no harm; Windows refuses it until then.
enum class FileAccess { copy, map };

namespace detail {

/// A regular file that is read from its beginning, or shown in memory. What it is called is looked at once: it stays
/// the same file, whatever has the name later.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) fail(error ? error.message() : std::string("no such file"));
    if (!std::filesystem::is_regular_file(status)) fail("not a regular file");
    open();
    if (size_ > static_cast<std::uint64_t>((std::numeric_limits<std::ptrdiff_t>::max)()))
      throw_file(path, "larger than the memory of this machine can be");
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }

  /// The next bytes. Throws where there are not so many, or they cannot be read.
  void read(void* to, std::uint64_t count) {
    errno = 0;
    if (count > 0 && std::fread(to, 1, memory_size(count), file_.get()) != count)
      fail(errno == 0 ? std::string("it ends early") : error_text(errno));
  }

  /// All bytes of a file of which none has been read.
  std::string read_all() {
    std::string bytes(memory_size(size_), '\0');
    read(bytes.data(), bytes.size());
    return bytes;
  }

  /// The whole file in memory, as long as the pointer or a copy of it lives; null where the system cannot.
  std::shared_ptr<const std::byte> map() const { return size_ == 0 ? nullptr : map_pages(); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  [[noreturn]] void fail(const std::string& reason) const { throw_file(path_, "cannot be read: " + reason); }

#if defined(_WIN32)
  void open() {
    file_.reset(::_wfopen(path_.c_str(), L"rbN"));
    if (file_ == nullptr) fail(error_text(errno));
    const auto length = ::_filelengthi64(::_fileno(file_.get()));
    if (length < 0) fail(error_text(errno));
    size_ = static_cast<std::uint64_t>(length);
  }
  std::shared_ptr<const std::byte> map_pages() const {
    const auto file = reinterpret_cast<HANDLE>(::_get_osfhandle(::_fileno(file_.get())));
    const HANDLE mapping = ::CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (mapping == nullptr) return nullptr;
    const void* start = ::MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    ::CloseHandle(mapping);  // the view keeps it
    if (start == nullptr) return nullptr;
    return {static_cast<const std::byte*>(start), [](const std::byte* p) { ::UnmapViewOfFile(p); }};
  }
#elif defined(MINRNN_HAS_MMAP)
  void open() {
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(error_text(errno));
    file_.reset(::fdopen(descriptor, "rb"));
    if (file_ == nullptr) {
      const int error = errno;
      ::close(descriptor);
      fail(error_text(error));
    }
    struct stat opened;
    if (::fstat(descriptor, &opened) != 0) fail(error_text(errno));
    size_ = static_cast<std::uint64_t>(opened.st_size);
  }
  std::shared_ptr<const std::byte> map_pages() const {
    const std::size_t size = memory_size(size_);
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, ::fileno(file_.get()), 0);
    if (start == MAP_FAILED) return nullptr;
    return {static_cast<const std::byte*>(start),
            [size](const std::byte* p) { ::munmap(const_cast<std::byte*>(p), size); }};
  }
#else
  void open() {
    file_.reset(std::fopen(path_.string().c_str(), "rb"));
    if (file_ == nullptr) fail(error_text(errno));
    size_ = std::filesystem::file_size(path_);
  }
  std::shared_ptr<const std::byte> map_pages() const { return nullptr; }
#endif

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t size_ = 0;
};

}  // namespace detail

}  // namespace minrnn

#undef MINRNN_HAS_MMAP
