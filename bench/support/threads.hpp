// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#ifdef _OPENMP
#include <omp.h>

#include "minrnn/core/open_mp.hpp"
#endif

#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "minrnn/core/thread_pool.hpp"

namespace minrnn::bench {

/// What every call of minrnn is told here: the executor that `set_threads` has chosen last.
inline Context& context() {
  static Context chosen{.draw = 0};
  return chosen;
}

/// From here on, minrnn and Eigen use this many threads: minrnn those of a ThreadPool, or OpenMP's where the
/// environment says MINRNN_BENCH_EXECUTOR=openmp.
inline void set_threads(int threads) {
  static std::unique_ptr<Executor> executor;
#ifdef _OPENMP
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
  const char* name = std::getenv("MINRNN_BENCH_EXECUTOR");
  if (name != nullptr && std::string_view(name) == "openmp")
    executor = std::make_unique<OpenMp>();
  else
#endif
    executor = std::make_unique<ThreadPool>(threads);
  context().executor = threads > 1 ? executor.get() : nullptr;
  Eigen::setNbThreads(threads);
}

/// 1, 2, 4, ... and all processors of the machine.
inline std::vector<int> thread_counts() {
  std::vector<int> counts{1};
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  for (int n = 2; n < processors; n *= 2) counts.push_back(n);
  if (processors > 1) counts.push_back(processors);
  return counts;
}

}  // namespace minrnn::bench
