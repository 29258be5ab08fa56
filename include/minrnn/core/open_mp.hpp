// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

#ifdef _OPENMP
/// The threads of OpenMP, for programs that live in it: as many as omp_get_max_threads() says at a call.
/// GNU's OpenMP lets idle threads spin by default, which on a busy machine takes their time from those that work (set
/// OMP_WAIT_POLICY=passive), and a child of fork that uses it after its parent has done so hangs. Only where OpenMP is
/// compiled for (-fopenmp).
class OpenMp final : public Executor {
 public:
  Index workers() const override { return omp_get_max_threads(); }
  void run(Index tiles, const Task& task) override {
#pragma omp parallel for schedule(static)
    for (Index tile = 0; tile < tiles; ++tile) task(tile, Index{omp_get_thread_num()});
  }
};
#endif

}  // namespace minrnn
