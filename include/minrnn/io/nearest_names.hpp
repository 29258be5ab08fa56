// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/io/printable.hpp"

namespace minrnn::detail {

/// How many bytes have to be put in, taken out or changed to make b of a (Levenshtein 1966); `most` where they are as
/// many or more.
inline std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() >= most) return most;
  std::vector<std::size_t> row(a.size() + 1);  // [i]: from the first i bytes of a to those of b so far
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t j = 0; j < b.size(); ++j) {
    std::size_t diagonal = row[0]++;
    std::size_t least = row[0];
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[i + 1];
      row[i + 1] = std::min<std::size_t>({changed, row[i] + 1, diagonal + 1});
      least = std::min<std::size_t>(least, row[i + 1]);
    }
    if (least >= most) return most;
  }
  return std::min<std::size_t>(row.back(), most);
}

/// Keeps the few names nearest to the one that is missing, of those that it is shown; equally near ones in the order
/// of the alphabet.
class NearestNames {
 public:
  explicit NearestNames(std::string_view wanted) : wanted_(wanted) {}

  void add(std::string_view name) {
    if (name.size() > kLongest) return;  // nobody meant it
    const std::size_t most = found_.size() < kMost ? kLongest + wanted_.size() : found_.back().first + 1;
    const std::size_t distance = edit_distance(wanted_, name, most);
    if (distance == most) return;
    found_.emplace_back(distance, name);
    std::sort(found_.begin(), found_.end());
    if (found_.size() > kMost) found_.pop_back();
  }

  /// "; nearest to it in the file: a, b, c", or nothing where no name was shown.
  std::string text() const {
    std::string list;
    for (const auto& [distance, name] : found_) list += (list.empty() ? "" : ", ") + printable(name);
    return list.empty() ? list : "; nearest to it in the file: " + list;
  }

 private:
  static constexpr std::size_t kMost = 3, kLongest = 1000;

  std::string_view wanted_;
  std::vector<std::pair<std::size_t, std::string_view>> found_;
};

}  // namespace minrnn::detail
