// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <vector>

#include "minrnn/core/types.hpp"

namespace minrnn::bench {

/// From here on, minrnn and Eigen use this many threads.
inline void set_threads([[maybe_unused]] int threads) {
#ifdef _OPENMP
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
#endif
  Eigen::setNbThreads(threads);
}

/// 1, 2, 4, ... and all processors of the machine; 1 alone without OpenMP.
inline std::vector<int> thread_counts() {
  std::vector<int> counts{1};
#ifdef _OPENMP
  const int processors = omp_get_num_procs();
  for (int n = 2; n < processors; n *= 2) counts.push_back(n);
  if (processors > 1) counts.push_back(processors);
#endif
  return counts;
}

}  // namespace minrnn::bench
