// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// The programs that compute one thing together, each of which is a rank, and how two of them exchange memory: all that
/// `DataParallel` knows of a network. `MpiCommunicator` is one over MPI; derive from it for another network.
class Communicator {
 public:
  virtual ~Communicator() = default;
  /// The number of this program, in [0, size()).
  virtual Index rank() const = 0;
  virtual Index size() const = 0;
  /// Sends to another rank and receives from it, which does the same with this one; either may be nothing. Returns when
  /// both are done. Called by one thread at a time, whichever it is. A thread that waits here leaves its core to
  /// others. Throws std::runtime_error where that fails, and after `cancel`.
  virtual void exchange(Index other, std::span<const std::byte> sent, std::span<std::byte> received) = 0;
  /// Ends the exchange that another thread is waiting in, and all later ones: this rank cannot go on, and the others
  /// cannot without it.
  virtual void cancel() = 0;
};

/// Thrown by all ranks, about what one of them has or all have: each can end as a program ends, and one tell it for
/// all.
struct SharedError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A program alone: what is computed then has the bits of any number of ranks.
class OneRank final : public Communicator {
 public:
  Index rank() const override { return 0; }
  Index size() const override { return 1; }
  void exchange(Index other, std::span<const std::byte>, std::span<std::byte>) override {
    detail::throw_argument("OneRank::exchange", "other", "another rank, of which there is none", other);
  }
  void cancel() override {}
};

}  // namespace minrnn
