// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <iostream>

namespace minrnn::tests {

/// The number of threads that the library uses, as long as this lives; then it is what it was.
class ThreadCount {
 public:
#ifdef _OPENMP
  ThreadCount() : before_(omp_get_max_threads()) {}
  ~ThreadCount() { omp_set_num_threads(before_); }
  void use(int threads) const { omp_set_num_threads(threads); }
#else
  ThreadCount() { std::cout << "compiled without OpenMP: one thread runs again and again\n"; }
  void use(int) const {}
#endif
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  [[maybe_unused]] int before_ = 1;
};

}  // namespace minrnn::tests
