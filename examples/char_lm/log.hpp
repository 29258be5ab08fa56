// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "text.hpp"

namespace char_lm {

struct LogRow {
  std::int64_t step;
  double train_loss, validation_loss, seconds, characters_per_second;
};

/// The CSV of a training: one row for each evaluation, written as it comes.
class Log {
 public:
  /// No path, no log. A resumed training goes on behind the rows up to `resumed_step`; those beyond are dropped, as they are
  /// about to be computed again.
  Log(const std::string& path, std::int64_t resumed_step) {
    if (path.empty()) return;
    std::string kept = std::string(kHeader) + "\n";
    if (resumed_step > 0 && std::filesystem::exists(path)) {
      std::ifstream before = open_file(path);
      std::string line;
      if (!std::getline(before, line) || line != kHeader)
        throw InputError(path + ": is not a log of char_lm: wanted the first line " + std::string(kHeader));
      while (std::getline(before, line))
        if (!line.empty() && std::atoll(line.c_str()) <= resumed_step) kept += line + "\n";
    }
    file_.open(path, std::ios::binary | std::ios::trunc);
    if (!(file_ << kept << std::flush)) throw InputError(path + ": cannot be written");
  }

  void add(const LogRow& row) {
    if (!file_.is_open()) return;
    char line[160];
    std::snprintf(line, sizeof line, "%lld,%.17g,%.17g,%.3f,%.0f\n", static_cast<long long>(row.step), row.train_loss,
                  row.validation_loss, row.seconds, row.characters_per_second);
    file_ << line << std::flush;
  }

 private:
  static constexpr std::string_view kHeader = "step,train_loss,validation_loss,seconds,characters_per_second";
  std::ofstream file_;
};

}  // namespace char_lm
