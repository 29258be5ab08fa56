// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// Counts the allocations of the whole program, of all threads, while a Count lives.
namespace minrnn::tests {

class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  /// Calls of operator new, and where the C library lets itself be replaced, of malloc and all its kin.
  std::int64_t now() const;

  /// Bytes that operator new was asked for, freed ones included: the memory of sequences, not of Eigen's matrices.
  std::int64_t bytes_of_new() const;

  /// Whether malloc itself is counted: on glibc, without an address sanitizer, which needs malloc for itself.
  static bool counts_malloc();
};

}  // namespace minrnn::tests
