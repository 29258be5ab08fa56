// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "minrnn/io/atomic_file.hpp"
#include "text.hpp"

namespace char_lm {

struct LogRow {
  std::int64_t step;
  double train_loss, validation_loss, seconds, characters_per_second;
};

/// The CSV of a training: one row for each evaluation, written as it comes.
class Log {
 public:
  /// No path, no log. A training that is resumed goes on behind the rows up to `resumed_step`; those beyond are
  /// dropped, as they are about to be computed again. A new one has `resumed_step` -1. Nothing is written yet.
  Log(const std::string& path, std::int64_t resumed_step) : path_(path), rows_(kHeader + std::string("\n")) {
    if (!path.empty() && resumed_step >= 0 && std::filesystem::exists(path)) rows_ = rows_up_to(resumed_step);
  }

  /// Replaces what is there by the rows to go on behind.
  void begin() {
    if (path_.empty() || file_.is_open()) return;
    minrnn::AtomicFile file(path_);
    file.write(rows_.data(), rows_.size());
    file.commit();
    file_.open(path_, std::ios::binary | std::ios::app);
  }

  void add(const LogRow& row) {
    if (path_.empty()) return;
    begin();
    char line[160];
    std::snprintf(line, sizeof line, "%lld,%.17g,%.17g,%.3f,%.0f\n", static_cast<long long>(row.step), row.train_loss,
                  row.validation_loss, row.seconds, row.characters_per_second);
    errno = 0;
    if (!(file_ << line << std::flush))
      throw OutputError(shown(path_) + ": cannot be written" + (errno != 0 ? ": " : "") +
                        (errno != 0 ? std::strerror(errno) : ""));
  }

 private:
  static constexpr const char* kHeader = "step,train_loss,validation_loss,seconds,characters_per_second";

  std::string rows_up_to(std::int64_t step) const {
    std::ifstream file(path_, std::ios::binary);
    std::string rows, line;
    if (!std::getline(file, line) || line != kHeader)
      throw InputError(shown(path_) + ": is not a log of char_lm: wanted the first line " + kHeader);
    rows = line + "\n";
    // A row without an end of line: the writer was killed there.
    while (std::getline(file, line) && !file.eof() && std::strtoll(line.c_str(), nullptr, 10) <= step)
      rows += line + "\n";
    return rows;
  }

  std::string path_, rows_;
  std::ofstream file_;
};

}  // namespace char_lm
