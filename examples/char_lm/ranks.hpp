// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "text.hpp"

namespace char_lm {

/// Thrown where another rank has failed and says why.
struct OtherRankFailed : std::exception {};

/// The ranks that train together: those that mpirun has started, or this program alone.
class Ranks {
 public:
  /// Throws InputError where mpirun has started several that could not work together.
  Ranks();
  ~Ranks();

  /// Whether mpirun, or what is like it, has started this program.
  bool launched() const { return launched_; }
  minrnn::Communicator& communicator() { return *communicator_; }
  Index rank() const { return communicator_ == nullptr ? 0 : communicator_->rank(); }
  Index size() const { return communicator_ == nullptr ? 1 : communicator_->size(); }
  /// The first of them prints and writes.
  bool first() const { return rank() == 0; }

  /// The threads of each rank where nothing else is said, so that the ranks of one machine share its cores; 0: all.
  Index threads() const;

  /// Calls what may fail on one rank and not on others, of any kind, and lets all fail where one does: the first that
  /// has failed throws what it has met, all others OtherRankFailed.
  template <class Body>
  void all_or_none(const Body& body) {
    std::exception_ptr error;
    try {
      body();
    } catch (...) {
      error = std::current_exception();
    }
    std::vector<char> failed(static_cast<std::size_t>(size()));
    failed[static_cast<std::size_t>(rank())] = error ? 1 : 0;
    minrnn::detail::all_gather(communicator(), failed.data(), 1);
    const auto first_failed = std::find(failed.begin(), failed.end(), 1);
    if (first_failed == failed.end()) return;
    end_together(first_failed - failed.begin());
    if (tells()) std::rethrow_exception(error);
    throw OtherRankFailed();
  }
  /// From here on all ranks throw the same, and one of them tells it.
  void end_together(Index who_tells = 0) {
    end_together_ = true;
    tells_ = rank() == who_tells;
  }
  /// Whether this rank is to tell what it has met.
  bool tells() const { return tells_; }

  /// The exit status of this rank after an exception. Does not return where other ranks wait for this one: it ends
  /// them.
  int after_failure(int status);

 private:
  bool launched_, end_together_ = false, tells_ = true;
  std::unique_ptr<minrnn::Communicator> communicator_;
};

}  // namespace char_lm
