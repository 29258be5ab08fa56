// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "minrnn/kernels/packet.hpp"

namespace minrnn::bench {

/// A number as the tables print it: three significant digits, or "-" where there is none.
inline std::string number(double value, const char* format = "%.3g") {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A table in Markdown with columns aligned to the right, so that it reads in a terminal and in a page.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }

  friend std::ostream& operator<<(std::ostream& out, const Table& table) {
    std::vector<std::size_t> widths(table.rows_[0].size(), 3);
    for (const auto& row : table.rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    for (std::size_t r = 0; r < table.rows_.size(); ++r) {
      for (std::size_t i = 0; i < widths.size(); ++i)
        out << "| " << std::string(widths[i] - table.rows_[r][i].size(), ' ') << table.rows_[r][i] << ' ';
      out << "|\n";
      if (r != 0) continue;
      for (const std::size_t width : widths) out << '|' << std::string(width + 1, '-') << ':';
      out << "|\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Takes `flag` out of the arguments; true where it was there. Google Benchmark refuses flags that it does not know.
inline bool take_flag(int& argc, char** argv, std::string_view flag) {
  int kept = 0;
  for (int i = 0; i < argc; ++i)
    if (i == 0 || argv[i] != flag) argv[kept++] = argv[i];
  const bool found = kept != argc;
  argc = kept;
  return found;
}

/// Runs the registered benchmarks as the flags in argv say, then report(out). Returns the exit status of the program.
/// Where standard output carries JSON or CSV, the report goes to standard error.
template <class Report>
int run_benchmarks(int argc, char** argv, Report&& report) {
  bool text = true;
  for (int i = 1; i < argc; ++i)
    for (const std::string_view format : {"--benchmark_format=json", "--benchmark_format=csv"})
      text = text && argv[i] != format;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("instructions", Eigen::SimdInstructionSetsInUse());
  benchmark::AddCustomContext("floats_per_register", std::to_string(Packet<float>::size));
#ifndef NDEBUG
  benchmark::AddCustomContext("assertions", "on: build with -DNDEBUG for figures worth quoting");
#endif
  benchmark::RunSpecifiedBenchmarks();
  report(text ? std::cout : std::cerr);
  return 0;
}

}  // namespace minrnn::bench
