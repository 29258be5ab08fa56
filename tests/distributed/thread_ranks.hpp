// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "minrnn/distributed/communicator.hpp"

namespace minrnn::tests {

/// What lies between ranks that are threads of one program.
class ThreadNetwork {
 public:
  void send(Index from, Index to, std::span<const std::byte> message) {
    const std::lock_guard lock(mutex_);
    on_the_way_[{from, to}].emplace_back(message.begin(), message.end());
    changed_.notify_all();
  }
  void receive(Index from, Index to, std::span<std::byte> message) {
    std::unique_lock lock(mutex_);
    auto& messages = on_the_way_[{from, to}];
    changed_.wait(lock, [&] { return !messages.empty() || cancelled_; });
    if (messages.empty()) throw std::runtime_error("a rank has gone");
    if (messages.front().size() != message.size())
      throw std::logic_error("wanted " + std::to_string(message.size()) + " bytes, given " +
                             std::to_string(messages.front().size()));
    std::copy(messages.front().begin(), messages.front().end(), message.begin());
    messages.pop_front();
  }
  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Index, Index>, std::deque<std::vector<std::byte>>> on_the_way_;
  bool cancelled_ = false;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(ThreadNetwork& network, Index rank, Index size) : network_(network), rank_(rank), size_(size) {}
  Index rank() const override { return rank_; }
  Index size() const override { return size_; }
  void exchange(Index other, std::span<const std::byte> sent, std::span<std::byte> received) override {
    EXPECT_FALSE(exchanging_.exchange(true)) << "two threads at a time";
    EXPECT_NE(other, rank_);
    sent_ += sent.size();
    network_.send(rank_, other, sent);
    try {
      network_.receive(other, rank_, received);
    } catch (...) {
      exchanging_ = false;
      throw;
    }
    exchanging_ = false;
  }
  void cancel() override { network_.cancel(); }
  std::size_t bytes_sent() const { return sent_; }

 private:
  ThreadNetwork& network_;
  Index rank_, size_;
  std::atomic<std::size_t> sent_ = 0;
  std::atomic<bool> exchanging_ = false;
};

/// Runs body(ranks) on as many threads, each a rank, and gives what each of them has thrown, as text; empty: nothing.
template <class Body>
std::vector<std::string> run_ranks(Index size, const Body& body) {
  ThreadNetwork network;
  std::vector<std::string> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (Index rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      ThreadCommunicator ranks(network, rank, size);
      try {
        body(ranks);
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  return errors;
}

}  // namespace minrnn::tests
