// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#if __has_include(<unsupported/Eigen/Tensor>)
#include <unsupported/Eigen/Tensor>
#else
#include <unsupported/Eigen/CXX11/Tensor>
#endif

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "minrnn/core/check.hpp"
#include "minrnn/core/memory.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// Where segments start: flags (T, B), time fastest, sequences `stride` flags apart. A flag that is set at (t, b) makes
/// every layer behave as if the state of sequence b were its initial state before it consumes frame t.
/// No flags at all (the default) means that nothing starts anew.
struct Starts {
  const std::uint8_t* flags = nullptr;
  Index stride = 0;

  bool operator()(Index t, Index b) const { return flags != nullptr && flags[b * stride + t] != 0; }
  Starts from(Index t, Index b) const { return flags == nullptr ? *this : Starts{flags + b * stride + t, stride}; }
};

template <class S>
class SequenceView;

/// One time step of all sequences, (F, B): a non-owning view, features contiguous, sequences `stride` scalars apart.
/// Converts from any column-major Eigen matrix, vector or map without a copy.
template <class S>
class FrameView {
 public:
  FrameView() = default;
  FrameView(S* data, Index features, Index batch, Index stride, Starts starts = {})
      : data_(data), features_(features), batch_(batch), stride_(stride), starts_(starts) {}
  FrameView(S* data, Index features, Index batch = 1) : FrameView(data, features, batch, features) {}

  template <class M>
  requires requires(M& m) {
    { m.data() } -> std::convertible_to<S*>;
    { m.outerStride() } -> std::convertible_to<Index>;
    requires !std::remove_cvref_t<M>::IsRowMajor;
  }
  FrameView(M&& m)  // NOLINT: implicit, an Eigen matrix is a frame
      : FrameView(m.data(), m.rows(), m.cols(), m.outerStride()) {}

  operator FrameView<const S>() const  // NOLINT: implicit, as T* to const T*
      requires(!std::is_const_v<S>) {
    return {data_, features_, batch_, stride_, starts_};
  }

  S* data() const { return data_; }
  Index features() const { return features_; }
  Index batch() const { return batch_; }
  Index stride() const { return stride_; }
  Starts starts() const { return starts_; }
  S* column(Index b) const { return data_ + b * stride_; }
  FrameView with_starts(Starts starts) const { return {data_, features_, batch_, stride_, starts}; }

  /// The frame as a matrix (F, B).
  MatrixMap<S> matrix() const { return {data_, features_, batch_, Eigen::OuterStride<>(stride_)}; }
  /// The frame as a sequence of one step, (F, 1, B).
  SequenceView<S> sequence() const { return {data_, features_, 1, batch_, stride_, starts_}; }

 private:
  S* data_ = nullptr;
  Index features_ = 0, batch_ = 0, stride_ = 0;
  Starts starts_;
};

/// A block (F, T, B) of features, time steps and sequences: features fastest, then time, then batch. Each sequence is one
/// contiguous (F, T) matrix; sequences lie `batch_stride` scalars apart. It is PyTorch's `batch_first` array byte for byte.
/// Non-owning and cheap to copy; may carry the starts of its segments.
template <class S>
class SequenceView {
 public:
  using Scalar = std::remove_const_t<S>;

  SequenceView() = default;
  SequenceView(S* data, Index features, Index time, Index batch, Index batch_stride, Starts starts = {})
      : data_(data), features_(features), time_(time), batch_(batch), batch_stride_(batch_stride), starts_(starts) {}
  SequenceView(S* data, Index features, Index time, Index batch = 1)
      : SequenceView(data, features, time, batch, features * time) {}

  /// From an Eigen::Tensor<Scalar, 3> or Eigen::TensorMap of dimensions (F, T, B), without a copy.
  template <class Tensor>
  requires requires(Tensor& tensor) {
    { tensor.data() } -> std::convertible_to<S*>;
    requires std::remove_cvref_t<Tensor>::NumDimensions == 3;
    requires int(std::remove_cvref_t<Tensor>::Layout) == int(Eigen::ColMajor);
  }
  SequenceView(Tensor&& tensor)  // NOLINT: implicit, a tensor is a sequence
      : SequenceView(tensor.data(), tensor.dimension(0), tensor.dimension(1), tensor.dimension(2)) {}

  operator SequenceView<const S>() const  // NOLINT: implicit, as T* to const T*
      requires(!std::is_const_v<S>) {
    return {data_, features_, time_, batch_, batch_stride_, starts_};
  }

  S* data() const { return data_; }
  Index features() const { return features_; }
  Index time() const { return time_; }
  Index batch() const { return batch_; }
  Index batch_stride() const { return batch_stride_; }
  Index size() const { return features_ * time_ * batch_; }
  bool contiguous() const { return batch_ <= 1 || batch_stride_ == features_ * time_; }
  Starts starts() const { return starts_; }
  bool starts(Index t, Index b) const { return starts_(t, b); }
  S* column(Index t, Index b) const { return data_ + b * batch_stride_ + t * features_; }

  SequenceView with_starts(Starts starts) const { return {data_, features_, time_, batch_, batch_stride_, starts}; }
  /// The same with flags (T, B), contiguous; they must outlive every use of the view.
  SequenceView with_starts(const std::uint8_t* flags) const { return with_starts(Starts{flags, time_}); }

  /// Time steps [first, first + count) of all sequences.
  SequenceView chunk(Index first, Index count) const {
    detail::check(first >= 0 && count >= 0 && first + count <= time_, "SequenceView::chunk", "first + count",
                  "steps within " + detail::shape_text(time_), first + count);
    return {from(first * features_), features_, count, batch_, batch_stride_, starts_.from(first, 0)};
  }
  /// Sequences [first, first + count).
  SequenceView sequences(Index first, Index count) const {
    detail::check(first >= 0 && count >= 0 && first + count <= batch_, "SequenceView::sequences", "first + count",
                  "sequences within " + detail::shape_text(batch_), first + count);
    return {from(first * batch_stride_), features_, time_, count, batch_stride_, starts_.from(0, first)};
  }
  FrameView<S> frame(Index t) const {
    return {from(t * features_), features_, batch_, batch_stride_, starts_.from(t, 0)};
  }
  /// Sequence b as a matrix (F, T).
  MatrixMap<S> matrix(Index b) const {
    return {data_ + b * batch_stride_, features_, time_, Eigen::OuterStride<>(features_)};
  }
  /// The block as an Eigen::TensorMap (F, T, B). Throws std::invalid_argument where it is not contiguous.
  auto tensor() const {
    using Plain = Eigen::Tensor<Scalar, 3>;
    using Map = Eigen::TensorMap<std::conditional_t<std::is_const_v<S>, const Plain, Plain>>;
    detail::check(contiguous(), "SequenceView::tensor", "view", "a contiguous block", "one with a batch stride");
    return Map(data_, features_, time_, batch_);
  }

 private:
  /// An empty block may have no memory to point into.
  S* from(Index offset) const { return size() == 0 ? data_ : data_ + offset; }

  S* data_ = nullptr;
  Index features_ = 0, time_ = 0, batch_ = 0, batch_stride_ = 0;
  Starts starts_;
};

/// Memory for a block (F, T, B) that is used again from call to call: it grows and never shrinks, so a loop over equal
/// shapes allocates once. Move-only. Contents are undefined after `resize`.
template <class S>
class Sequence {
 public:
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
    const Index size = features * time * batch;
    if (size > capacity_) {
      capacity_ = 0;
      data_.reset();
      data_ = detail::allocate<S>(size);
      capacity_ = size;
    }
    // Tests define this, so that whatever is read before it is written shows.
#ifdef MINRNN_POISON_BUFFERS
    std::fill_n(data_.get(), size, std::numeric_limits<S>::quiet_NaN());
#endif
    return view_ = SequenceView<S>(data_.get(), features, time, batch);
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

}  // namespace minrnn
