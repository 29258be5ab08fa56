// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace minrnn {

/// The bytes of a tensor: memory of its own, or a view of a file that is mapped into memory, which it keeps there. A
/// view is read without a copy; what changes it, and each function that is not const could, makes it a copy first.
class TensorBytes {
 public:
  TensorBytes() = default;
  TensorBytes(std::vector<std::byte> bytes) : own_(std::move(bytes)) {}  // NOLINT: implicit, bytes are bytes
  /// A part of what `owner` keeps in memory.
  TensorBytes(std::shared_ptr<const void> owner, std::span<const std::byte> view)
      : owner_(std::move(owner)), view_(view) {}

  std::size_t size() const { return owner_ ? view_.size() : own_.size(); }
  bool empty() const { return size() == 0; }
  const std::byte* data() const { return owner_ ? view_.data() : own_.data(); }
  const std::byte* begin() const { return data(); }
  const std::byte* end() const { return data() + size(); }
  const std::byte& operator[](std::size_t i) const { return data()[i]; }
  bool is_view() const { return owner_ != nullptr; }

  /// As memory of its own, to be changed.
  std::vector<std::byte>& own() {
    if (owner_) {
      own_.assign(view_.begin(), view_.end());
      owner_.reset();
    }
    return own_;
  }
  std::byte* data() { return own().data(); }
  std::byte* begin() { return data(); }
  std::byte* end() { return data() + size(); }
  std::byte& operator[](std::size_t i) { return data()[i]; }
  void resize(std::size_t size) { own().resize(size); }
  void pop_back() { own().pop_back(); }

  friend bool operator==(const TensorBytes& a, const TensorBytes& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::shared_ptr<const void> owner_;  // of the view; none: the bytes are its own
  std::span<const std::byte> view_;
  std::vector<std::byte> own_;
};

}  // namespace minrnn
