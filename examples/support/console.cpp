// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/console.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "minrnn/io/printable.hpp"
#include "support/errors.hpp"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace tool {
namespace {

bool is_silent = false;

bool is_terminal(std::FILE* stream) {
#ifdef _WIN32
  return ::_isatty(::_fileno(stream)) != 0;
#else
  return ::isatty(::fileno(stream)) != 0;
#endif
}

}  // namespace

void reserve_standard_streams() {
#ifndef _WIN32
  for (const int descriptor : {0, 1, 2})
    if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF)
      // Gives the lowest free descriptor, which is this one.
      static_cast<void>(::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY));
#endif
}

int fail(const std::string& reason, int status) {
  std::fprintf(stderr, "%s: %s\n", program_name, minrnn::printable(reason, 4000).c_str());
  return status;
}

void make_binary([[maybe_unused]] std::FILE* stream) {
#ifdef _WIN32
  ::_setmode(::_fileno(stream), _O_BINARY);
#endif
}

void flush_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    const std::string reason = std::strerror(errno);
    std::clearerr(stdout);
    throw OutputError("standard output: cannot be written: " + reason);
  }
}

void be_silent() { is_silent = true; }

void say(const char* format, ...) {
  if (is_silent) return;
  std::va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  flush_output();
}

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::clamp(seconds, 0.0, 1e9));
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

Meter::Meter(std::FILE* stream)
    : stream_(stream), terminal_(is_terminal(stream)), interval_(terminal_ ? 1 : 10), next_(interval_) {}

void Meter::show(const std::string& text) {
  if (is_silent) return;
  if (terminal_) {
    // Cut, as a line that a terminal has broken into two cannot be rewritten.
    const std::string line = text.substr(0, 79);
    std::fprintf(stream_, "\r%-*s", static_cast<int>(std::max(width_, line.size())), line.c_str());
    width_ = line.size();
  } else {
    std::fprintf(stream_, "%s\n", text.c_str());
  }
  next_ = clock_.seconds() + interval_;
  if (stream_ == stdout)
    flush_output();
  else
    std::fflush(stream_);
}

void Meter::clear() {
  erase();
  next_ = clock_.seconds() + interval_;
}

void Meter::erase() noexcept {
  if (width_ == 0) return;
  std::fprintf(stream_, "\r%*s\r", static_cast<int>(width_), "");
  std::fflush(stream_);
  width_ = 0;
}

}  // namespace tool
