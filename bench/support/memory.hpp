// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#ifdef __linux__
#include <unistd.h>
#endif

/// Peak memory as the system counts it: pages that were touched, by whatever allocator, transient ones included. A
/// process never gives its peak back, so each figure is measured in a process of its own.
namespace minrnn::bench {

/// The peak of this process's resident memory so far, in bytes; NaN where the system does not tell.
inline double peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kibibytes = 0; word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  return std::nan("");
}

/// What `work` adds to the peak of this process, in bytes.
template <class Work>
double peak_growth(Work&& work) {
  const double before = peak_resident_bytes();
  work();
  return peak_resident_bytes() - before;
}

/// Runs this program anew with one argument, which needs no quoting, and reads the number that it prints; NaN where
/// that is not possible.
inline double ask_fresh_process([[maybe_unused]] const std::string& argument) {
#ifdef __linux__
  char program[4096];
  const auto length = readlink("/proc/self/exe", program, sizeof program);
  if (length <= 0 || length == sizeof program) return std::nan("");
  std::string command(1, '\'');
  command.append(program, static_cast<std::size_t>(length)).append("' ").append(argument);
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nan("");
  double value = 0;
  const bool read = std::fscanf(pipe, "%lf", &value) == 1;
  return pclose(pipe) == 0 && read ? value : std::nan("");
#else
  return std::nan("");
#endif
}

}  // namespace minrnn::bench
