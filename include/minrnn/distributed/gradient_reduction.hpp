// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/memory.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/bucket_plan.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "minrnn/distributed/digest.hpp"
#include "minrnn/distributed/subtree_sums.hpp"

namespace minrnn {

/// What the gradients of a rank have cost until now.
struct Traffic {
  std::uint64_t bytes_sent = 0;
  double seconds_reducing = 0;  // adding and exchanging, waiting for other ranks included, on whatever thread
  double seconds_waiting = 0;   // of it, those in which the calling thread had nothing else to do
};

namespace detail {

/// The gradients of a call, and what becomes of them.
template <class S>
struct GradientSet {
  std::vector<GradientPart<S>> parts;                     // in the order of the visit
  std::vector<std::pair<const void*, Index>> by_address;  // the parts, for `find_part`
  SubtreeSums<S> sums;                                    // over the shards of this rank before the last
  Index last_leaf = 0;
  S scale = S(1);  // of the sum
};

/// Sums gradients over all shards and ranks, bucket by bucket in the order of a plan: `run` when all are finished, or
/// between `begin` and `end` on a thread of its own, as a backward reports them. The thread works on copies, so that
/// what changes later is no race, and is found.
template <class S>
class GradientReduction final : public GradientListener {
 public:
  GradientReduction(Communicator& ranks, GradientSet<S>& set) : ranks_(ranks), set_(set) {}
  GradientReduction(const GradientReduction&) = delete;
  GradientReduction& operator=(const GradientReduction&) = delete;
  ~GradientReduction() override {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  bool has_plan() const { return !plan_.buckets.empty(); }
  void set_plan(BucketPlan plan) {
    plan_ = std::move(plan);
    Index largest = 0, all = 0;
    for (const Bucket& bucket : plan_.buckets) {
      largest = (std::max)(largest, bucket.size);
      all += bucket.size;
    }
    numbers_ = allocate<S>(all);
    scratch_ = allocate<S>((largest + 1) / 2);
    digests_.resize(set_.parts.size());
  }
  const Traffic& traffic() const { return traffic_; }

  void run() {
    const auto start = Clock::now();
    for (const Bucket& bucket : plan_.buckets) {
      copy(bucket);
      reduce(bucket);
      put(bucket);
    }
    traffic_.seconds_waiting += seconds_since(start);
  }

  /// From here to `end` the gradients of a bucket are sent as soon as all of them are reported.
  void begin() {
    unfinished_.clear();
    for (const Bucket& bucket : plan_.buckets) unfinished_.push_back(bucket.last - bucket.first);
    reports_.assign(set_.parts.size(), 0);
    reported_too_often_ = false;
    const std::lock_guard lock(mutex_);
    ready_ = next_ = 0;
    error_ = nullptr;
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
  }
  void finished(const void* parameter) override {
    const Index part = find_part(set_.by_address, set_.parts, parameter);
    if (part < 0) return;
    const std::size_t i = static_cast<std::size_t>(part);
    const Index planned = plan_.reports[i], seen = ++reports_[i];
    if (planned > 0 && seen > planned) reported_too_often_ = true;
    if (planned == 0 || seen != planned) return;
    --unfinished_[static_cast<std::size_t>(plan_.bucket_of[i])];
    // In the order of the plan, which is that of the other ranks.
    Index ready = ready_;
    while (ready < buckets() && unfinished_[static_cast<std::size_t>(ready)] == 0) ++ready;
    if (ready == ready_) return;
    for (Index bucket = ready_; bucket < ready; ++bucket) {
      copy(bucket_at(bucket));
      for_parts(bucket_at(bucket), [&](std::size_t of, const GradientPart<S>& copied, const S* numbers) {
        digests_[of] = digest_of(numbers, copied.size);
      });
    }
    let_go(ready);
  }
  /// All gradients are finished. Returns when they are the sums over all ranks.
  void end() {
    const auto start = Clock::now();
    const Index sent_before = ready_;
    for (Index bucket = ready_; bucket < buckets(); ++bucket) copy(bucket_at(bucket));
    let_go(buckets());
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == buckets() && !busy_; });
    traffic_.seconds_waiting += seconds_since(start);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if (reported_too_often_)
      throw std::logic_error(
          "DataParallel: a backward came through a layer more often than that of the first step: set overlap to false");
    for (Index bucket = 0; bucket < sent_before; ++bucket) check_unchanged(bucket_at(bucket));
    for (const Bucket& bucket : plan_.buckets) put(bucket);
  }
  /// Instead of `end`, where there will be no gradients: this rank cannot go on. Returns when the thread does nothing.
  void give_up() {
    ranks_.cancel();
    std::unique_lock lock(mutex_);
    ready_ = next_;
    changed_.wait(lock, [&] { return !busy_; });
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  Index buckets() const { return static_cast<Index>(plan_.buckets.size()); }
  const Bucket& bucket_at(Index i) const { return plan_.buckets[static_cast<std::size_t>(i)]; }

  void let_go(Index ready) {
    {
      const std::lock_guard lock(mutex_);
      ready_ = ready;
    }
    changed_.notify_all();
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ends_ || next_ < ready_; });
      if (ends_) return;
      busy_ = true;
      lock.unlock();
      std::exception_ptr error;
      try {
        reduce(bucket_at(next_));
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      busy_ = false;
      next_ = error ? buckets() : next_ + 1;
      if (error) error_ = error;
      changed_.notify_all();
    }
  }

  /// Takes the gradients of a bucket of this rank.
  void copy(const Bucket& bucket) {
    for_parts(bucket, [&](std::size_t, const GradientPart<S>& part, S* numbers) {
      std::copy_n(part.values, part.size, numbers);
    });
  }
  /// Makes them the sums over all shards.
  void reduce(const Bucket& bucket) {
    const auto start = Clock::now();
    for_parts(bucket, [&](std::size_t, const GradientPart<S>& part, S* numbers) {
      set_.sums.join(set_.last_leaf, part.first, part.size, numbers);
    });
    const Index sent = sum_over_ranks(ranks_, numbers_.get() + bucket.begin, bucket.size, scratch_.get());
    traffic_.bytes_sent += static_cast<std::uint64_t>(sent) * sizeof(S);
    traffic_.seconds_reducing += seconds_since(start);
  }
  /// Gives back their means.
  void put(const Bucket& bucket) {
    for_parts(bucket, [&](std::size_t, const GradientPart<S>& part, const S* numbers) {
      for (Index i = 0; i < part.size; ++i) part.values[i] = numbers[i] * set_.scale;
    });
  }
  void check_unchanged(const Bucket& bucket) const {
    for_parts(bucket, [&](std::size_t i, const GradientPart<S>& part, const S*) {
      if (digest_of(part.values, part.size) != digests_[i])
        throw std::logic_error(
            "DataParallel: a gradient was added to behind the backward that had finished it, and not so in the first "
            "step: set overlap to false");
    });
  }
  template <class Body>
  void for_parts(const Bucket& bucket, const Body& body) const {
    S* numbers = numbers_.get() + bucket.begin;
    for (Index place = bucket.first; place < bucket.last; ++place) {
      const std::size_t i = static_cast<std::size_t>(plan_.order[static_cast<std::size_t>(place)]);
      body(i, set_.parts[i], numbers);
      numbers += set_.parts[i].size;
    }
  }

  Communicator& ranks_;
  GradientSet<S>& set_;
  BucketPlan plan_;
  Memory<S> numbers_, scratch_;         // of all buckets, one behind the other, and of half of one
  std::vector<std::uint64_t> digests_;  // of the gradients of each part that was sent before the end
  Traffic traffic_;

  std::vector<Index> unfinished_, reports_;  // parts of each bucket; of each part until now
  bool reported_too_often_ = false;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Index ready_ = 0, next_ = 0;  // buckets that are the thread's, and that it has done
  bool busy_ = false, ends_ = false;
  std::exception_ptr error_;
};

}  // namespace detail
}  // namespace minrnn
