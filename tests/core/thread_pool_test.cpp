// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <numeric>

#ifndef _WIN32
#include <sys/wait.h>
#endif

namespace minrnn::tests {
namespace {

/// How often each tile was run.
std::vector<int> counts_of(ThreadPool& pool, Index tiles) {
  std::vector<int> counts(static_cast<std::size_t>(tiles));
  parallel_for({.executor = &pool}, tiles, [&](Index tile, Index) { ++counts[static_cast<std::size_t>(tile)]; });
  return counts;
}

TEST(ThreadPool, RunsEachTileOnceHoweverManyCallsThereAre) {
  for (const Index workers : {1, 2, 3, 8}) {
    ThreadPool pool(workers);
    EXPECT_EQ(pool.workers(), workers);
    for (int call = 0; call < 2000; ++call) {
      const Index tiles = call % 37;
      ASSERT_EQ(counts_of(pool, tiles), std::vector<int>(static_cast<std::size_t>(tiles), 1)) << workers << " " << call;
    }
  }
}

TEST(ParallelFor, DoesAllOnTheCallingThreadWithoutAnExecutor) {
  EXPECT_EQ(Context().workers(), 1);
  Index next = 0;
  parallel_for({}, 100, [&](Index tile, Index worker) {
    EXPECT_EQ(tile, next++);
    EXPECT_EQ(worker, 0);
  });
  EXPECT_EQ(next, 100);
}

TEST(ThreadPool, WakesThreadsThatSleep) {
  ThreadPool pool(3);
  for (int call = 0; call < 20; ++call) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(counts_of(pool, 50), std::vector<int>(50, 1));
  }
}

TEST(ThreadPool, RunsTilesAtTheSameTime) {
  ThreadPool pool(3);
  for (int call = 0; call < 20; ++call) {
    std::atomic<int> begun = 0;
    // Each tile waits for the others: it ends where each has a thread of its own.
    parallel_for({.executor = &pool}, 3, [&](Index, Index) {
      ++begun;
      while (begun < 3) std::this_thread::yield();
    });
    EXPECT_EQ(begun, 3);
  }
}

TEST(ThreadPool, GivesNoWorkerTwoTilesAtATime) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> at_work(4);
  for (int call = 0; call < 200; ++call)
    parallel_for({.executor = &pool}, 40, [&](Index, Index worker) {
      auto& mine = at_work[static_cast<std::size_t>(worker)];
      EXPECT_EQ(mine.fetch_add(1), 0);
      std::this_thread::yield();
      mine.fetch_sub(1);
    });
}

TEST(ThreadPool, DoesTheTilesOfAThreadThatIsHeldUp) {
  ThreadPool pool(3);
  std::atomic<int> done = 0;
  // Tile 0, the first of the caller's range, waits for all others, those of its own range among them.
  parallel_for({.executor = &pool}, 30, [&](Index tile, Index) {
    while (tile == 0 && done < 29) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 30);
}

TEST(ThreadPool, RunsACallFromWithinATileOnItsOwnThread) {
  ThreadPool pool(3);
  const Context context{.executor = &pool};
  std::vector<std::atomic<int>> counts(100);
  parallel_for(context, 10, [&](Index outer, Index) {
    const auto thread = std::this_thread::get_id();
    parallel_for(context, 10, [&](Index inner, Index worker) {
      EXPECT_EQ(worker, 0);
      EXPECT_EQ(std::this_thread::get_id(), thread);
      ++counts[static_cast<std::size_t>(10 * outer + inner)];
    });
  });
  for (const auto& count : counts) EXPECT_EQ(count, 1);
}

TEST(ThreadPool, ServesManyCallersAtATime) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int call = 0; call < 300; ++call) EXPECT_EQ(counts_of(pool, 20), std::vector<int>(20, 1));
    });
  for (auto& caller : callers) caller.join();
}

TEST(ThreadPool, IsDestroyedWhateverItsThreadsDo) {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(4);
    if (i % 2 == 0) counts_of(pool, i);
    if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(i));
  }
}

TEST(ThreadPool, RefusesLessThanNoWorker) {
  EXPECT_THROW(ThreadPool(-1), std::invalid_argument);
  EXPECT_GE(ThreadPool().workers(), 1);
}

#ifndef _WIN32
TEST(ThreadPool, ComputesInAChildOfFork) {
  ThreadPool pool(4);
  counts_of(pool, 100);
  const pid_t child = ::fork();
  if (child == 0) {
    bool right = true;
    // Without the heap: another thread may have held its lock when the process was forked.
    for (int call = 0; call < 10; ++call) {
      int counts[50] = {};
      parallel_for({.executor = &pool}, 50, [&](Index tile, Index) { ++counts[tile]; });
      right = right && std::accumulate(counts, counts + 50, 0) == 50;
    }
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}
#endif

}  // namespace
}  // namespace minrnn::tests
