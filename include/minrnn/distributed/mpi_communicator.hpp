// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/communicator.hpp"

namespace minrnn {

/// The ranks of MPI: Open MPI, MPICH or another one. Begins MPI and ends it, where the program has not begun it itself;
/// make one before other threads, and let it live longer than all that uses it.
///
/// Threads     wants MPI_THREAD_SERIALIZED, as a thread of `DataParallel` exchanges while another computes. A thread
///             that waits sleeps between two looks, the longer the longer it has waited, and leaves its core to others
/// Ending      where it goes because of an exception, while other ranks may wait for this one, it ends them all with
///             status 1: catch what is to be told before, or call `abort`
/// Throws      std::runtime_error with what MPI says
class MpiCommunicator final : public Communicator {
 public:
  /// All ranks with which the program was started.
  MpiCommunicator() {
    int begun = 0;
    MPI_Initialized(&begun);
    if (begun == 0) {
      check_status(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &threads_), "MPI_Init_thread");
      ends_mpi_ = true;
    } else {
      check_status(MPI_Query_thread(&threads_), "MPI_Query_thread");
    }
    if (threads_ < MPI_THREAD_SERIALIZED)
      throw std::runtime_error("MPI: wanted MPI_THREAD_SERIALIZED, given a library or a start without it");
    // Messages of its own, which no others of the program can be taken for; and errors come back as numbers.
    check_status(MPI_Comm_dup(MPI_COMM_WORLD, &ranks_), "MPI_Comm_dup");
    check_status(MPI_Comm_set_errhandler(ranks_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check_status(MPI_Comm_rank(ranks_, &rank_), "MPI_Comm_rank");
    check_status(MPI_Comm_size(ranks_, &size_), "MPI_Comm_size");
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;
  ~MpiCommunicator() override {
    if (size_ > 1 && (std::uncaught_exceptions() > exceptions_ || cancelled_)) abort(1);
    MPI_Comm_free(&ranks_);
    if (ends_mpi_) MPI_Finalize();
  }

  Index rank() const override { return rank_; }
  Index size() const override { return size_; }

  void exchange(Index other, std::span<const std::byte> sent, std::span<std::byte> received) override {
    detail::check_that(other >= 0 && other < size_ && other != rank_, "MpiCommunicator::exchange", "other",
                       {"another rank below ", size_}, other);
    requests_.clear();
    const int to = static_cast<int>(other);
    for_messages(received.size(), [&](std::size_t first, int count) {
      check_status(MPI_Irecv(received.data() + first, count, MPI_BYTE, to, 0, ranks_, &requests_.emplace_back()),
                   "MPI_Irecv");
    });
    for_messages(sent.size(), [&](std::size_t first, int count) {
      check_status(MPI_Isend(sent.data() + first, count, MPI_BYTE, to, 0, ranks_, &requests_.emplace_back()),
                   "MPI_Isend");
    });
    wait();
  }
  void cancel() override { cancelled_ = true; }

  /// Ends all ranks with this status, from any of them. A moment later, as launchers drop lines that are on their way.
  [[noreturn]] void abort(int status) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    MPI_Abort(MPI_COMM_WORLD, status);
    std::abort();
  }

 private:
  /// In messages of a size that an int can say.
  template <class Body>
  static void for_messages(std::size_t bytes, const Body& body) {
    constexpr std::size_t kMost = std::size_t{1} << 30;
    for (std::size_t first = 0; first < bytes; first += kMost)
      body(first, static_cast<int>(std::min<std::size_t>(kMost, bytes - first)));
  }

  void wait() {
    using Clock = std::chrono::steady_clock;
    using std::chrono::microseconds;
    const auto start = Clock::now();
    for (;;) {
      int done = 0;
      check_status(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE),
                   "MPI_Testall");
      if (done != 0) return;
      if (cancelled_) throw std::runtime_error("MPI: an exchange was cancelled, as this rank cannot go on");
      const auto waited = std::chrono::duration_cast<microseconds>(Clock::now() - start);
      if (waited < microseconds(50))
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(std::clamp(waited / 8, microseconds(20), microseconds(500)));
    }
  }

  static void check_status(int status, const char* function) {
    if (status == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(status, text, &length);
    throw std::runtime_error(std::string(function) + ": " + std::string(text, static_cast<std::size_t>(length)));
  }

  MPI_Comm ranks_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1, threads_ = 0, exceptions_ = std::uncaught_exceptions();
  bool ends_mpi_ = false;
  std::atomic<bool> cancelled_ = false;
  std::vector<MPI_Request> requests_;
};

}  // namespace minrnn
