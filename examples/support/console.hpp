// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>

namespace tool {

/// The name of the program, as its messages begin: each program defines its own.
extern const char* const program_name;

/// One line on standard error, the program's name in front. Gives the status.
int fail(const std::string& reason, int status = 2);

/// Where a standard stream is closed, takes its place with something that cannot be read or written: the next file that
/// is opened would become that stream, and get the progress text.
void reserve_standard_streams();

/// Bytes go in and out as they are. (Windows changes ends of lines where it is not told.)
void make_binary(std::FILE* stream);

/// From here on neither `say` nor a meter writes anything: one of several ranks speaks for all.
void be_silent();

/// printf to standard output, at once. Throws OutputError.
#ifdef __GNUC__
[[gnu::format(printf, 1, 2)]]
#endif
void say(const char* format, ...);

/// Throws OutputError where something that was written to standard output has not arrived.
void flush_output();

class Clock {
 public:
  /// `before`: what it shows now.
  explicit Clock(double before = 0) : before_(before), start_(std::chrono::steady_clock::now()) {}
  double seconds() const {
    return before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double before_;
  std::chrono::steady_clock::time_point start_;
};

/// "1:02:03"
std::string duration_text(double seconds);

/// What a long computation says while it goes on: on a terminal a line that is rewritten each second, elsewhere a line
/// every ten seconds, to standard output or standard error.
class Meter {
 public:
  explicit Meter(std::FILE* stream);
  ~Meter() { erase(); }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  /// Shows text(), a line without its end, where it is time for one.
  template <class Text>
  void update(const Text& text) {
    if (clock_.seconds() >= next_) show(text());
  }
  /// To be called before another line is written: it stands where the rewritten one was.
  void clear();

 private:
  void show(const std::string& text);
  void erase() noexcept;

  std::FILE* stream_;
  bool terminal_;
  double interval_, next_;
  Clock clock_;
  std::size_t width_ = 0;  // of the line that is to be rewritten
};

}  // namespace tool
