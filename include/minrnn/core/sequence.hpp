// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <limits>
#include <utility>

#include "minrnn/core/check.hpp"
#include "minrnn/core/memory.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

/// Memory for a block (F, T, B) that is used again from call to call: it grows and never shrinks, so a loop over equal
/// shapes allocates once. Move-only. Contents are undefined after `resize`.
/// Throws std::invalid_argument for sizes below 0 or that no memory holds, and std::bad_alloc; it is empty after the
/// latter.
template <class S>
class Sequence {
 public:
  using Scalar = S;

  Sequence() = default;
  Sequence(Index features, Index time, Index batch) { resize(features, time, batch); }
  Sequence(Sequence&& other) noexcept { *this = std::move(other); }
  Sequence& operator=(Sequence&& other) noexcept {
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, 0);
    view_ = std::exchange(other.view_, {});
    return *this;
  }

  SequenceView<S> resize(Index features, Index time, Index batch) {
    detail::check_block("Sequence", features, time, batch);
    return assign(features, time, batch);
  }
  /// The same without a check.
  SequenceView<S> assign(Index features, Index time, Index batch) {
    const Index size = features * time * batch;
    if (size > capacity_) [[unlikely]]
      reserve(size);
      // Tests define this, so that whatever is read before it is written shows.
#ifdef MINRNN_POISON_BUFFERS
    std::fill_n(data_.get(), size, std::numeric_limits<S>::quiet_NaN());
#endif
    return view_ = SequenceView<S>(detail::Part{}, data_.get(), features, time, batch, features * time, {});
  }
  /// Room for so many scalars. Where that is more than there was, the block is empty afterwards.
  MINRNN_COLD void reserve(Index size) {
    if (size <= capacity_) return;
    view_ = {};
    capacity_ = 0;
    data_.reset();
    data_ = detail::allocate<S>(size);
    capacity_ = size;
  }
  Index capacity() const { return capacity_; }
  /// True where p points into its memory.
  bool holds(const S* p) const {
    return !std::less<const S*>{}(p, data_.get()) && std::less<const S*>{}(p, data_.get() + capacity_);
  }

  S* data() { return data_.get(); }
  const S* data() const { return data_.get(); }
  Index features() const { return view_.features(); }
  Index time() const { return view_.time(); }
  Index batch() const { return view_.batch(); }
  Index size() const { return view_.size(); }
  SequenceView<S> view() { return view_; }
  SequenceView<const S> view() const { return view_; }
  operator SequenceView<S>() { return view_; }              // NOLINT: implicit, an owner is usable as its view
  operator SequenceView<const S>() const { return view_; }  // NOLINT

 private:
  detail::Memory<S> data_;
  Index capacity_ = 0;
  SequenceView<S> view_;
};

/// What a function of sequences may take as a view of its own scalars: a view, a Sequence, an Eigen::Tensor.
template <class V>
concept SequenceLike = requires {
  typename V::Scalar;
}
&&std::convertible_to<const V&, SequenceView<const typename V::Scalar>>;

}  // namespace minrnn
