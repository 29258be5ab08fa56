// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// How the shape of a tensor in a file differs from the matrix (R, C), or the vector (n), that is made of ours.
enum class Form {
  same,
  transposed,        // (C, R)
  with_middle_unit,  // (R, 1, C): the kernel of a depthwise convolution
  with_taps_last,    // (R, C / K, K): the kernel of a convolution of K taps, of which ours has one behind the other
  flat,              // (n) where ours is (n, 1): a vector that is a state here
  in_two_rows        // (2, n / 2) where ours is (n): two biases
};

/// Along what the tensors of ours that make one of theirs lie behind each other.
enum class Along { rows, columns };

/// What a value of theirs is, beside ours.
enum class Value {
  same,
  less_one,  // ours less 1: the gamma of a norm that multiplies by gamma + 1. The sum is rounded
  sum        // the sum of two of ours, of which the second is zero after reading: one bias where we have two
};

/// A tensor of ours, or one of several equal parts of its rows. Throws std::invalid_argument for a part or a size that
/// there cannot be.
struct Piece {
  // Implicit, as they stand in tables.
  Piece(const char* whole) : name(whole) {}             // NOLINT
  Piece(std::string whole) : name(std::move(whole)) {}  // NOLINT
  Piece(std::string of, Index which, Index count) : name(std::move(of)), part(which), parts(count) {
    detail::check_that(which >= 0 && which < count, "Piece", name, "one of its parts", {which, " of ", count});
  }
  Piece(std::string whole, Index known) : name(std::move(whole)), size(known) {
    detail::check_that(known >= 0, "Piece", name, "a size, or 0", known);
  }

  std::string name;
  Index part = 0, parts = 1;
  Index size = 0;  // rows, or columns along these, where the map knows them. 0: an equal share of what is left
};

/// A row of a table: a tensor of theirs, and what of ours it is made of.
struct MapEntry {
  std::string theirs;
  std::vector<Piece> ours;
  Form form = Form::same;
  Along along = Along::rows;
  Value value = Value::same;
  std::uint64_t taps = 1;  // K
};

/// A table of names: how the tensors of somebody else's model become those of one of ours, and back. `import_tensors`
/// and `export_tensors` apply it, each tensor exactly once.
struct NameMap {
  /// A tensor of ours that theirs do without, as a bias: zero after reading, and only written where it is zero. It has
  /// as many elements as `like` has rows. Nothing where ours has no such tensor either, as it need not where `always`
  /// is false.
  struct Zero {
    std::string ours, like;
    bool always = true;
  };
  /// A tensor of ours that is another one of ours, as the weights of an output that are those of the embedding: a copy
  /// after reading, and only written where both are the same bit for bit.
  struct Tie {
    std::string ours, of;
    bool transposed = false;
  };
  /// A vector of theirs that multiplies the columns of one of ours, into which it goes when it is read. Written are
  /// ones: the same function, but neither of the two is the same again.
  struct Scale {
    std::string theirs, ours;
  };
  /// A name that says that a file is of a kind that is not read.
  struct Refusal {
    std::string theirs, reason;
  };

  std::vector<MapEntry> entries = {};
  std::vector<Zero> zeros = {};
  std::vector<Tie> ties = {};
  std::vector<Scale> scales = {};
  std::vector<Refusal> refusals = {};

  /// This table as part of a larger model: theirs behind `theirs` and a dot, ours behind `ours` and a slash; behind
  /// nothing where these are empty.
  NameMap within(std::string_view theirs, std::string_view ours) const {
    const auto join = [](std::string_view scope, char separator, std::string& name) {
      if (!scope.empty()) name = std::string(scope) + (name.empty() ? "" : std::string(1, separator)) + name;
    };
    NameMap result = *this;
    for (MapEntry& entry : result.entries) {
      join(theirs, '.', entry.theirs);
      for (Piece& piece : entry.ours) join(ours, '/', piece.name);
    }
    for (Zero& zero : result.zeros) {
      join(ours, '/', zero.ours);
      join(ours, '/', zero.like);
    }
    for (Tie& tie : result.ties) {
      join(ours, '/', tie.ours);
      join(ours, '/', tie.of);
    }
    for (Scale& scale : result.scales) {
      join(theirs, '.', scale.theirs);
      join(ours, '/', scale.ours);
    }
    for (Refusal& refusal : result.refusals) join(theirs, '.', refusal.theirs);
    return result;
  }

  NameMap& operator+=(const NameMap& other) {
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(entries, other.entries);
    append(zeros, other.zeros);
    append(ties, other.ties);
    append(scales, other.scales);
    append(refusals, other.refusals);
    return *this;
  }
  friend NameMap operator+(NameMap a, const NameMap& b) { return a += b; }
};

}  // namespace minrnn
