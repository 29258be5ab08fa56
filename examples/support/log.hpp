// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "minrnn/io/atomic_file.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"

namespace tool {

/// The CSV of a training: one row for each evaluation, written as it comes. Its first column is the step.
class Log {
 public:
  /// No path, no log. `header` names the columns. A training that is resumed goes on behind the rows up to
  /// `resumed_step`; those beyond are dropped, as they are about to be computed again. A new one has `resumed_step` -1.
  /// Nothing is written yet.
  Log(const std::string& path, const std::string& header, std::int64_t resumed_step)
      : path_(path), header_(header), rows_(header + "\n") {
    if (!path.empty() && resumed_step >= 0 && std::filesystem::exists(path_of(path))) rows_ = rows_up_to(resumed_step);
  }

  /// Replaces what is there by the rows to go on behind.
  void begin() {
    if (path_.empty() || file_.is_open()) return;
    minrnn::AtomicFile file(path_of(path_));
    file.write(rows_.data(), rows_.size());
    file.commit();
    file_.open(path_of(path_), std::ios::binary | std::ios::app);
  }

  /// printf of a row, without the end of the line.
#ifdef __GNUC__
  [[gnu::format(printf, 2, 3)]]
#endif
  void
  add(const char* format, ...) {
    if (path_.empty()) return;
    begin();
    char line[256];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    errno = 0;
    if (!(file_ << line << '\n' << std::flush))
      throw OutputError(shown(path_) + ": cannot be written" + (errno != 0 ? ": " : "") +
                        (errno != 0 ? std::strerror(errno) : ""));
  }

 private:
  std::string rows_up_to(std::int64_t step) const {
    std::ifstream file(path_of(path_), std::ios::binary);
    std::string rows, line;
    if (!std::getline(file, line) || line != header_)
      throw InputError(shown(path_) + ": is not a log of " + program_name + ": wanted the first line " + header_);
    rows = line + "\n";
    // A row without an end of line: the writer was killed there.
    while (std::getline(file, line) && !file.eof() && std::strtoll(line.c_str(), nullptr, 10) <= step)
      rows += line + "\n";
    return rows;
  }

  std::string path_, header_, rows_;
  std::ofstream file_;
};

}  // namespace tool
