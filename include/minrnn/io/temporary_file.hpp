// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#ifdef _WIN32
#include <chrono>
#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "minrnn/io/printable.hpp"

#ifndef __cpp_exceptions
#error "minrnn/io says by exceptions what is wrong with a file: compile what includes it without -fno-exceptions"
#endif

namespace minrnn {

namespace detail {

/// The text of a path in UTF-8. On Windows `path.string()` throws for a name with letters that are not those of the
/// machine.
inline std::string text_of(const std::filesystem::path& path) {
  const auto text = path.u8string();
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}
[[noreturn]] inline void throw_file(const std::filesystem::path& path, const std::string& reason) {
  throw std::runtime_error((path.empty() ? std::string("(memory)") : printable(text_of(path), 1000)) + ": " + reason);
}
inline std::string error_text(int error) { return std::generic_category().message(error); }

/// What a name stands for in the end: symbolic links are followed, to a file that need not be there. Throws where the
/// name leads below /dev or /proc: what is there belongs to the system, though some of it looks like a regular file, as
/// /dev/stdout does. (/dev/shm is a file system like others.)
inline std::filesystem::path link_target(const std::filesystem::path& path) {
  std::filesystem::path target = path;
  std::error_code ignored;
  for (int followed = 0;; ++followed) {
    const auto below =
        std::filesystem::weakly_canonical(std::filesystem::absolute(target, ignored).parent_path(), ignored);
    const auto starts_with = [&](std::string_view folder) {
      const std::string text = below.generic_string() + "/";
      return text.starts_with(folder);
    };
    if ((starts_with("/dev/") && !starts_with("/dev/shm/")) || starts_with("/proc/"))
      throw_file(path, "cannot be written: it is below " + std::string(starts_with("/dev/") ? "/dev" : "/proc"));
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(target, ignored))) return target;
    if (followed == 40) throw_file(path, "cannot be written: " + error_text(ELOOP));
    const auto next = std::filesystem::read_symlink(target, ignored);
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
}

inline constexpr std::string_view kTemporary = ".minrnn.tmp";

/// The number n where `name` is "<target>.<n>.minrnn.tmp", else -1.
inline int temporary_number(std::string_view name, std::string_view target) {
  if (!name.starts_with(target) || !name.ends_with(kTemporary)) return -1;
  name.remove_prefix(target.size());
  if (name.size() < kTemporary.size() + 2 || name[0] != '.') return -1;
  name = name.substr(1, name.size() - kTemporary.size() - 1);
  int number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && name == std::to_string(number) ? number : -1;
}

/// Hands what was written to the disk. False, and errno says why, where that failed; a file system that does not know
/// how has not failed.
inline bool flush_to_disk(std::FILE* file) {
  if (std::fflush(file) != 0) return false;
#ifdef _WIN32
  return ::_commit(::_fileno(file)) == 0;
#else
  return ::fsync(::fileno(file)) == 0 || errno == EINVAL || errno == ENOSYS || errno == ENOTSUP;
#endif
}

/// Hands the names in a directory to the disk, where the system can.
inline void flush_directory([[maybe_unused]] const std::filesystem::path& directory) {
#ifndef _WIN32
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
#endif
}

#ifdef _WIN32

/// A file of this name that was not there before; null, and errno says why, where that cannot be had.
inline std::FILE* open_temporary(const std::filesystem::path& path, const std::filesystem::path&) {
  // Not _wfopen, whose mode "x" the older of the C libraries there does not know.
  const int descriptor =
      ::_wopen(path.c_str(), _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE);
  if (descriptor < 0) return nullptr;
  std::FILE* file = ::_fdopen(descriptor, "wb");
  if (file == nullptr) {
    const int error = errno;
    ::_close(descriptor);
    ::_wunlink(path.c_str());
    errno = error;
  }
  return file;
}
/// Removes a temporary file whose writer is dead: one that nobody has open, or removing would fail, nor has had within
/// the hour, as a writer closes its file before it renames it.
inline void remove_dead(const std::filesystem::path& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (!error && std::filesystem::file_time_type::clock::now() - written > std::chrono::hours(1))
    std::filesystem::remove(path, error);
}

#else

/// True where `descriptor` is the regular file that has this name now.
inline bool has_name(int descriptor, const std::filesystem::path& path) {
  struct stat open, named;
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 && S_ISREG(open.st_mode) &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/// Gives a new file the owner and the permissions of the file that it is to replace, where there is one. Where the
/// group cannot be kept, the new group gets what everybody has.
inline void take_access(int descriptor, const std::filesystem::path& replaced) {
  struct stat old;
  if (::stat(replaced.c_str(), &old) != 0) return;
  mode_t mode = old.st_mode & 0777;
  if (::fchown(descriptor, old.st_uid, old.st_gid) != 0 &&
      ::fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) != 0)
    mode = (mode & ~mode_t{070}) | ((mode & 07) << 3);
  ::fchmod(descriptor, mode);  // a file system without permissions keeps none
}

/// A file of this name that was not there before, with the access of the file that it is to replace; null, and errno
/// says why, where that cannot be had. It is locked as long as it is open: that is how others see that its writer
/// lives. One that somebody takes for dead before it is locked is left to them, as if it had been there before: nobody
/// waits for a lock, which a child process may have inherited and keep.
inline std::FILE* open_temporary(const std::filesystem::path& path, const std::filesystem::path& replaced) {
  std::error_code ignored;
  const mode_t mode = std::filesystem::exists(replaced, ignored) ? 0600 : 0666;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return nullptr;
  // Where the file system has no locks, nobody can find it unlocked either.
  const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (taken || !has_name(descriptor, path)) {
    ::close(descriptor);
    errno = EEXIST;
    return nullptr;
  }
  if (mode == 0600) take_access(descriptor, replaced);
  std::FILE* file = ::fdopen(descriptor, "wb");
  if (file == nullptr) {
    const int error = errno;
    ::unlink(path.c_str());
    ::close(descriptor);
    errno = error;
  }
  return file;
}

/// Removes a temporary file whose writer is dead: a regular file that nobody has locked.
inline void remove_dead(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return;
  // The name may have gone to another file between the two calls.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && has_name(descriptor, path)) ::unlink(path.c_str());
  ::close(descriptor);
}

#endif

/// Removes the temporary files "<target>.<number>.minrnn.tmp" that dead writers have left beside a target.
inline void remove_leftovers(const std::filesystem::path& target) {
  const auto folder = target.parent_path();
  const std::string name = text_of(target.filename());
  std::error_code error;
  std::vector<std::filesystem::path> found;
  std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (temporary_number(text_of(entry->path().filename()), name) >= 0) found.push_back(entry->path());
  for (const auto& path : found) remove_dead(path);
}

}  // namespace detail

}  // namespace minrnn
