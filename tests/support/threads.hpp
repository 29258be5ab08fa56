// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#ifndef _WIN32
#include <climits>
#include <pthread.h>
#endif

#include "minrnn/core/thread_pool.hpp"

namespace minrnn::tests {

#ifndef _WIN32
/// New threads for each call, whose stacks have room for `bytes`: what needs more ends the program.
class SmallStacks final : public Executor {
 public:
  SmallStacks(Index workers, std::size_t bytes) : workers_(workers), bytes_(bytes) {}
  Index workers() const override { return workers_; }
  double least_work() const override { return 0; }
  void run(Index tiles, const Task& task) override {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, static_cast<std::size_t>(PTHREAD_STACK_MIN) + bytes_), 0);
    std::vector<std::function<void()>> bodies;
    for (Index worker = 0; worker < workers_; ++worker)
      bodies.push_back([=, this, &task] {
        for (Index tile = worker; tile < tiles; tile += workers_) task(tile, worker);
      });
    std::vector<pthread_t> threads(bodies.size());
    const auto call = [](void* body) -> void* {
      (*static_cast<std::function<void()>*>(body))();
      return nullptr;
    };
    for (std::size_t i = 0; i < bodies.size(); ++i)
      EXPECT_EQ(pthread_create(&threads[i], &attributes, call, &bodies[i]), 0);
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
  }

 private:
  Index workers_;
  std::size_t bytes_;
};
#endif

/// What makes the executors of all tests in the place of pools; null as a rule.
inline std::unique_ptr<Executor> (*make_other_executor)(Index workers) = nullptr;

/// A pool that shares whatever there is, however little, as tests of threads need not be large; or threads with stacks
/// of as many bytes as the environment says in MINRNN_TEST_STACK.
inline std::unique_ptr<Executor> make_executor(Index workers) {
  if (make_other_executor != nullptr) return make_other_executor(workers);
#ifndef _WIN32
  if (const char* bytes = std::getenv("MINRNN_TEST_STACK"))
    return std::make_unique<SmallStacks>(workers, std::strtoul(bytes, nullptr, 10));
#endif
  return std::make_unique<ThreadPool>(workers, 0);
}

/// What tests tell the calls of layers: draw 0, and two threads unless a `ThreadCount` says otherwise.
inline Context& context() {
  static const std::unique_ptr<Executor> executor = make_executor(2);
  static Context context{.draw = 0, .executor = executor.get()};
  return context;
}

/// The number of threads that `context()` lends, as long as this lives; then it is what it was.
class ThreadCount {
 public:
  ThreadCount() = default;
  ~ThreadCount() { context().executor = before_; }
  void use(Index threads) {
    executor_ = make_executor(threads);
    context().executor = executor_.get();
  }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  Executor* before_ = context().executor;
  std::unique_ptr<Executor> executor_;
};

}  // namespace minrnn::tests
