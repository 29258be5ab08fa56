// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Compiled with OpenMP, alone of all tests: gives them its threads where the environment says MINRNN_TEST_OPEN_MP.
#include <cstdlib>
#include <memory>

#include "minrnn/core/open_mp.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

/// So many threads of OpenMP's, however little there is to do.
class OpenMpThreads final : public Executor {
 public:
  explicit OpenMpThreads(Index threads) : threads_(static_cast<int>(threads)) {}
  Index workers() const override {
    omp_set_num_threads(threads_);  // which counts for the calling thread alone
    return open_mp_.workers();
  }
  double least_work() const override { return 0; }
  void run(Index tiles, const Task& task) override {
    omp_set_num_threads(threads_);
    open_mp_.run(tiles, task);
  }

 private:
  int threads_;
  OpenMp open_mp_;
};

std::unique_ptr<Executor> make_open_mp(Index threads) { return std::make_unique<OpenMpThreads>(threads); }

[[maybe_unused]] const bool is_chosen = [] {
  if (std::getenv("MINRNN_TEST_OPEN_MP") == nullptr) return false;
  make_other_executor = make_open_mp;
  return true;
}();

}  // namespace
}  // namespace minrnn::tests
