// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "minrnn/core/check.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// The base of every cache: knows whether the cache holds what a backward needs. That is what the last `forward` kept,
/// for a layer of the same sizes; what `infer` or `step` left behind is not. Move-only, as caches point into each
/// other.
class CacheBase {
 public:
  /// Whatever tells layers of one type apart: features in, features out, and what else the kept blocks depend on.
  using Sizes = std::array<Index, 5>;

  CacheBase() = default;
  CacheBase(CacheBase&& other) noexcept : kept_(std::exchange(other.kept_, {})) {}
  CacheBase& operator=(CacheBase&& other) noexcept {
    kept_ = std::exchange(other.kept_, {});
    if (this == &other) forget();  // what a container of the cache holds then is anybody's guess
    return *this;
  }

  /// From here on the cache is not for backward: called before anything in it changes.
  void forget() { kept_.valid = false; }
  /// The cache is what a backward of a layer of these sizes needs: the last thing that forward does.
  void keep(const Sizes& sizes, Index time, Index batch) { kept_ = {true, sizes, time, batch}; }

  /// Throws std::invalid_argument that names the layer unless the cache is what this backward needs, and dy is of its
  /// shape.
  template <class View>
  void check_backward(std::string_view where, const Sizes& sizes, const View& dy) const {
    if (!kept_.valid || kept_.sizes != sizes) [[unlikely]]
      throw_cache(where, sizes);
    detail::check_sequence(where, "dy", dy, sizes[1], kept_.time, kept_.batch);
  }

 private:
  struct Kept {
    bool valid = false;
    Sizes sizes{};
    Index time = 0, batch = 0;
  };

  [[noreturn]] MINRNN_COLD void throw_cache(std::string_view where, const Sizes& sizes) const {
    if (!kept_.valid)
      detail::throw_argument(where, "cache", "one that forward was the last to use",
                             "one that is new, moved from, or was last used by infer or step");
    detail::throw_argument(where, "cache", {"that of a layer of sizes ", text(sizes)},
                           {"that of one of sizes ", text(kept_.sizes)});
  }
  MINRNN_COLD static std::string text(const Sizes& sizes) {
    std::string result;
    for (const Index size : sizes) {
      if (size == 0) continue;
      if (!result.empty()) result += ", ";
      result += detail::Digits(size).text();
    }
    return result;
  }

  Kept kept_;
};

}  // namespace minrnn
