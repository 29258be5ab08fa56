// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(_M_X64) || defined(__i386__)
#include <immintrin.h>
#endif
#ifndef _WIN32
#include <unistd.h>
#endif

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

namespace detail {
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
inline constexpr bool kHasThreads = false;  // WebAssembly that is compiled without -pthread
#else
inline constexpr bool kHasThreads = true;
#endif

/// Where threads sleep until a word changes.
class Sleepers {
 public:
#if defined(__GLIBCXX__) && !defined(__linux__)
  // Where it has no futex, as on Windows, std::atomic::wait of libstdc++ 12 looks at the word before it takes the lock
  // that it sleeps with, and notify_all takes none: a change in between wakes nobody.
  void wait(const std::atomic<std::uint32_t>& word, std::uint32_t old) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return word.load() != old; });
  }
  void wake_all(std::atomic<std::uint32_t>&) {
    { const std::lock_guard<std::mutex> lock(mutex_); }  // who has seen the old word under it sleeps by now
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
#else
  void wait(const std::atomic<std::uint32_t>& word, std::uint32_t old) { word.wait(old); }
  void wake_all(std::atomic<std::uint32_t>& word) { word.notify_all(); }
#endif
};
}  // namespace detail

/// Threads that wait for work, and the thread that calls: an executor for programs that have none of their own.
///
/// Each worker begins with a range of tiles of its own, the same one in each call of so many tiles, so that it finds in
/// its cache what it left there; when that is done it takes tiles from the ends of the others' ranges. So a thread that
/// the system does not run now is not waited for, unless it is within a tile: on a busy machine the caller does the
/// rest itself. After the last tile, threads look for more for about 100 microseconds before they sleep.
///
/// One call has the threads at a time: one from within a tile, or from another thread meanwhile, runs on its own thread
/// alone. So does a call in a child of fork, where the threads do not exist. Destroy a pool when no call uses it.
/// Throws std::invalid_argument for a number of workers below 0, std::system_error where the system has no thread left.
class ThreadPool final : public Executor {
 public:
  /// Of this many workers, the caller of `run` among them; 0: as many as the machine runs at a time. Calls of fewer
  /// multiply-adds than `least_work` are not shared. Where a program has no threads the caller is the only worker.
  explicit ThreadPool(Index workers = 0, double least_work = kLeastWork) : ThreadPool(Empty{}) {
    detail::check_that(workers >= 0, "ThreadPool", "workers", "at least 1, or 0 for those of the machine", workers);
    least_work_ = least_work;
    if constexpr (!detail::kHasThreads) workers = 1;
    if (workers == 0) workers = std::max<Index>(static_cast<Index>(std::thread::hardware_concurrency()), 1);
    ranges_ = std::vector<Range>(static_cast<std::size_t>(workers));
    threads_.reserve(static_cast<std::size_t>(workers - 1));
    for (Index worker = 1; worker < workers; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() override {
    if (is_copy_in_child()) {
      for (std::thread& thread : threads_) thread.detach();
      return;
    }
    ends_.store(true, std::memory_order_relaxed);
    calls_.fetch_add(1);
    idle_.wake_all(calls_);
    for (std::thread& thread : threads_) thread.join();
  }

  Index workers() const override { return static_cast<Index>(ranges_.size()); }
  double least_work() const override { return least_work_; }

  void run(Index tiles, const Task& task) override {
    const bool alone = tiles <= 1 || tiles > (std::numeric_limits<std::int32_t>::max)() || threads_.empty() ||
                       in_use_.test_and_set(std::memory_order_acquire);
    if (alone) {
      for (Index tile = 0; tile < tiles; ++tile) task(tile, 0);
      return;
    }
    task_ = &task;
    left_.store(static_cast<std::uint32_t>(tiles), std::memory_order_relaxed);
    for (Index worker = 0; worker < workers(); ++worker)
      ranges_[static_cast<std::size_t>(worker)].assign(tiles * worker / workers(), tiles * (worker + 1) / workers());
    // In one order with `sleepers_`: of this thread and one that falls asleep now, one sees what the other has done.
    calls_.fetch_add(1);
    if (sleepers_.load() > 0) idle_.wake_all(calls_);
    work(0);
    spin_while([this] { return left_.load(std::memory_order_acquire) != 0; });
    for (std::uint32_t left; (left = left_.load(std::memory_order_acquire)) != 0;) caller_.wait(left_, left);
    in_use_.clear(std::memory_order_release);
  }

 private:
  struct Empty {};
  // The public constructor delegates to this one, so that the destructor runs where a thread cannot be started.
  explicit ThreadPool(Empty) {}

  /// Tiles that nobody has claimed: [first, last) in one word, so that a claim is one exchange.
  class alignas(64) Range {
   public:
    void assign(Index first, Index last) {
      tiles_.store(word(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)),
                   std::memory_order_release);
    }
    /// The first tile or the last one, claimed; none: -1.
    Index claim(bool first_one) {
      std::uint64_t tiles = tiles_.load(std::memory_order_acquire);
      for (;;) {
        const auto first = static_cast<std::uint32_t>(tiles >> 32), last = static_cast<std::uint32_t>(tiles);
        if (first == last) return -1;
        const std::uint64_t rest = first_one ? word(first + 1, last) : word(first, last - 1);
        if (tiles_.compare_exchange_weak(tiles, rest, std::memory_order_acq_rel, std::memory_order_acquire))
          return static_cast<Index>(first_one ? first : last - 1);
      }
    }

   private:
    static std::uint64_t word(std::uint32_t first, std::uint32_t last) { return std::uint64_t{first} << 32 | last; }

    std::atomic<std::uint64_t> tiles_ = 0;
  };

  /// Runs tiles as long as there is one that nobody has claimed: those of the worker's own range, then the others'.
  void work(Index worker) {
    for (Index i = 0; i < workers(); ++i) {
      Range& range = ranges_[static_cast<std::size_t>((worker + i) % workers())];
      for (Index tile; (tile = range.claim(i == 0)) >= 0;) {
        // A tile of the present call is claimed and not done, so task_ stays what it is.
        (*task_)(tile, worker);
        if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) caller_.wake_all(left_);
      }
    }
  }

  void serve(Index worker) {
    for (;;) {
      const std::uint32_t seen = calls_.load();
      if (ends_.load(std::memory_order_relaxed)) return;
      work(worker);
      spin_while([&] { return calls_.load(std::memory_order_acquire) == seen; });
      if (calls_.load(std::memory_order_acquire) != seen) continue;
      sleepers_.fetch_add(1);
      idle_.wait(calls_, seen);
      sleepers_.fetch_sub(1);
    }
  }

  template <class Condition>
  static void spin_while(Condition&& condition) {
    using Clock = std::chrono::steady_clock;
    for (const auto end = Clock::now() + std::chrono::microseconds(100); Clock::now() < end;)
      for (int i = 0; i < 64; ++i) {
        if (!condition()) return;
#if defined(__x86_64__) || defined(_M_X64) || defined(__i386__)
        _mm_pause();
#endif
      }
  }

  bool is_copy_in_child() const {
#ifdef _WIN32
    return false;
#else
    return ::getpid() != process_;
#endif
  }

  double least_work_ = kLeastWork;
  const Task* task_ = nullptr;  // of the present call; written by its caller while nothing can be claimed
  std::atomic_flag in_use_;
  alignas(64) std::atomic<std::uint32_t> left_ = 0;   // tiles that are not done
  alignas(64) std::atomic<std::uint32_t> calls_ = 0;  // begun until now, and the end: what threads sleep on
  std::atomic<std::int32_t> sleepers_ = 0;
  std::atomic<bool> ends_ = false;
  detail::Sleepers caller_;  // until no tile is left
  detail::Sleepers idle_;    // until the next call, or the end
#ifndef _WIN32
  pid_t process_ = ::getpid();
#endif
  std::vector<Range> ranges_;  // of worker i: ranges_[i]
  std::vector<std::thread> threads_;
};

}  // namespace minrnn
