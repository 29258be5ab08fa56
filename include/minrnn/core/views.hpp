// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include <Eigen/Core>

#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/types.hpp"

namespace minrnn {

/// Where segments start: flags (T, B), time fastest, sequences `stride` flags apart. A flag that is set at (t, b) makes
/// every layer behave as if the state of sequence b were its initial state before it consumes frame t.
/// No flags at all (the default) means that nothing starts anew.
struct Starts {
  const std::uint8_t* flags = nullptr;
  Index stride = 0;

  bool operator()(Index t, Index b) const { return flags != nullptr && flags[b * stride + t] != 0; }
  /// How many frames, `most` at most, may be seen before t: none where a segment starts there.
  Index frames_before(Index t, Index b, Index most) const {
    if (flags == nullptr) return most;
    const std::uint8_t* const at_t = flags + b * stride + t;
    const Index end = std::min<Index>(most, t + 1);
    Index i = 0;
    for (std::uint64_t eight = 0; i + 8 <= end; i += 8) {  // few are set
      std::memcpy(&eight, at_t - i - 7, sizeof eight);
      if (eight != 0) break;
    }
    while (i < end && at_t[-i] == 0) ++i;
    return i < end ? i : most;
  }
  Starts from(Index t, Index b) const { return flags == nullptr ? *this : Starts{flags + b * stride + t, stride}; }
};

template <class S>
class SequenceView;

namespace detail {
/// Marks the constructors of parts of a view: their sizes are known to be right.
struct Part {};

/// An Eigen matrix, vector, block or map of S (or of what converts to it by a const) that is column-major and whose
/// rows are contiguous, as its type says.
template <class M, class S>
concept ColumnsOf = requires(M& m) {
  { m.data() } -> std::convertible_to<S*>;
  { m.outerStride() } -> std::convertible_to<Index>;
  requires !std::remove_cvref_t<M>::IsRowMajor;
  requires int(std::remove_cvref_t<M>::InnerStrideAtCompileTime) == 1;
};
/// An Eigen tensor of dimensions (F, T, B), or a map of one.
template <class T, class S>
concept TensorOf = requires(T& tensor) {
  { tensor.data() } -> std::convertible_to<S*>;
  requires std::remove_cvref_t<T>::NumDimensions == 3;
  requires int(std::remove_cvref_t<T>::Layout) == int(Eigen::ColMajor);
};

/// Whether a tensor of type T is a map of memory that is not its own: minrnn/core/tensor.hpp knows.
template <class T>
inline constexpr bool kIsTensorMap = false;
/// The Eigen::TensorMap of a SequenceView<S>, as ::type: defined in minrnn/core/tensor.hpp.
template <class S>
struct TensorMapOf;

/// Whether a matrix, block or map of type T may have memory of its own. A Ref to const may hold a copy.
template <class T>
inline constexpr bool kOwnsColumns = std::derived_from<T, Eigen::PlainObjectBase<T>>;
template <class M, int options, class Stride>
inline constexpr bool kOwnsColumns<Eigen::Ref<const M, options, Stride>> = true;

/// Whether a T&& is a temporary whose memory ends with it.
template <class T, class S>
concept TemporaryOf = !std::is_lvalue_reference_v<T> && ((TensorOf<T, S> && !kIsTensorMap<std::remove_cvref_t<T>>) ||
                                                         (ColumnsOf<T, S> && kOwnsColumns<std::remove_cvref_t<T>>));
}  // namespace detail

/// One time step of all sequences, (F, B): a non-owning view, features contiguous, sequences `stride` scalars apart.
/// Converts from any Eigen matrix, vector, block or map without a copy, if its type says that it is column-major and
/// that its rows are contiguous; a row of a matrix, a diagonal or a map with an inner stride does not convert.
/// Throws std::invalid_argument for sizes or a stride below 0, or sizes that no memory holds.
template <class S>
class FrameView {
 public:
  FrameView() = default;
  FrameView(S* data, Index features, Index batch, Index stride, Starts starts = {})
      : FrameView(detail::Part{}, data, features, batch, stride, starts) {
    detail::check_block("FrameView", features, 1, batch);
    detail::check_that(stride >= 0, "FrameView", "stride", "at least 0 scalars", stride);
  }
  FrameView(S* data, Index features, Index batch = 1) : FrameView(data, features, batch, features) {}
  FrameView(detail::Part, S* data, Index features, Index batch, Index stride, Starts starts)
      : data_(data), features_(features), batch_(batch), stride_(stride), starts_(starts) {}

  template <detail::ColumnsOf<S> M>
  FrameView(M&& m)  // NOLINT: implicit, an Eigen matrix is a frame
      : FrameView(detail::Part{}, m.data(), m.rows(), m.cols(), m.outerStride(), {}) {}

  operator FrameView<const S>() const  // NOLINT: implicit, as T* to const T*
      requires(!std::is_const_v<S>) {
    return {detail::Part{}, data_, features_, batch_, stride_, starts_};
  }

  S* data() const { return data_; }
  Index features() const { return features_; }
  Index batch() const { return batch_; }
  Index stride() const { return stride_; }
  Starts starts() const { return starts_; }
  /// The features of sequence b, which is not checked.
  S* column(Index b) const { return data_ + b * stride_; }
  Row<S> row(Index b) const { return Row<S>(column(b)); }
  Columns<S> columns() const { return {data_, features_, batch_, stride_}; }
  FrameView with_starts(Starts starts) const { return {detail::Part{}, data_, features_, batch_, stride_, starts}; }

  /// The frame as a matrix (F, B).
  MatrixMap<S> matrix() const { return {data_, features_, batch_, Eigen::OuterStride<>(stride_)}; }
  /// The frame as a sequence of one step, (F, 1, B).
  SequenceView<S> sequence() const { return {detail::Part{}, data_, features_, 1, batch_, stride_, starts_}; }

 private:
  S* data_ = nullptr;
  Index features_ = 0, batch_ = 0, stride_ = 0;
  Starts starts_;
};

/// A block (F, T, B) of features, time steps and sequences: features fastest, then time, then batch. Each sequence is
/// one contiguous (F, T) matrix; sequences lie `batch_stride` scalars apart. It is PyTorch's `batch_first` array byte
/// for byte. Non-owning and cheap to copy; may carry the starts of its segments.
/// Throws std::invalid_argument for sizes or a stride below 0, sizes that no memory holds, a part that is not within
/// the view.
template <class S>
class SequenceView {
 public:
  using Scalar = std::remove_const_t<S>;

  SequenceView() = default;
  SequenceView(S* data, Index features, Index time, Index batch, Index batch_stride, Starts starts = {})
      : SequenceView(detail::Part{}, data, features, time, batch, batch_stride, starts) {
    detail::check_block("SequenceView", features, time, batch);
    detail::check_that(batch_stride >= 0, "SequenceView", "batch stride", "at least 0 scalars", batch_stride);
  }
  SequenceView(S* data, Index features, Index time, Index batch = 1)
      : SequenceView(detail::Part{}, data, features, time, batch, 0, {}) {
    detail::check_block("SequenceView", features, time, batch);
    batch_stride_ = features * time;
  }
  SequenceView(detail::Part, S* data, Index features, Index time, Index batch, Index batch_stride, Starts starts)
      : data_(data), features_(features), time_(time), batch_(batch), batch_stride_(batch_stride), starts_(starts) {}

  /// From an Eigen::Tensor<Scalar, 3> or Eigen::TensorMap of dimensions (F, T, B), without a copy; from a map that is a
  /// temporary, where minrnn/core/tensor.hpp is included.
  template <detail::TensorOf<S> T>
  SequenceView(T&& tensor)  // NOLINT: implicit, a tensor is a sequence
      requires(!detail::TemporaryOf<T, S>)
      : SequenceView(tensor.data(), tensor.dimension(0), tensor.dimension(1), tensor.dimension(2)) {}
  /// From an Eigen matrix (F, T), block or map, as one sequence (F, T, 1), without a copy. Throws std::invalid_argument
  /// where its columns lie apart.
  template <detail::ColumnsOf<S> M>
  SequenceView(M&& m)  // NOLINT: implicit, a matrix is one sequence
      requires(!detail::TemporaryOf<M, S>)
      : SequenceView(detail::Part{}, m.data(), m.rows(), m.cols(), 1, m.size(), {}) {
    detail::check_that(m.cols() <= 1 || m.outerStride() == m.rows(), "SequenceView", "outer stride of a matrix",
                       {m.rows(), ", as frames have no gap"}, m.outerStride());
  }
  template <detail::TemporaryOf<S> T>
  SequenceView(T&&) = delete;  // a temporary ends before backward reads it: give it a name

  operator SequenceView<const S>() const  // NOLINT: implicit, as T* to const T*
      requires(!std::is_const_v<S>) {
    return {detail::Part{}, data_, features_, time_, batch_, batch_stride_, starts_};
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
  /// The features at step t of sequence b, which are not checked.
  S* column(Index t, Index b) const { return data_ + b * batch_stride_ + t * features_; }
  Row<S> row(Index t, Index b) const { return Row<S>(column(t, b)); }
  /// The frames of steps [first, first + count) of sequence b.
  Columns<S> columns(Index first, Index count, Index b) const { return {column(first, b), features_, count}; }

  SequenceView with_starts(Starts starts) const {
    return {detail::Part{}, data_, features_, time_, batch_, batch_stride_, starts};
  }
  /// The same with flags (T, B), contiguous; they must outlive every use of the view.
  SequenceView with_starts(const std::uint8_t* flags) const { return with_starts(Starts{flags, time_}); }

  /// Time steps [first, first + count) of all sequences.
  SequenceView chunk(Index first, Index count) const {
    check_range("SequenceView::chunk", first, count, time_);
    return {detail::Part{}, from(first * features_), features_, count, batch_, batch_stride_, starts_.from(first, 0)};
  }
  /// Sequences [first, first + count).
  SequenceView sequences(Index first, Index count) const {
    check_range("SequenceView::sequences", first, count, batch_);
    return {detail::Part{}, from(first * batch_stride_), features_, time_, count,
            batch_stride_,  starts_.from(0, first)};
  }
  FrameView<S> frame(Index t) const {
    detail::check_index("SequenceView::frame", "t", t, time_);
    return {detail::Part{}, from(t * features_), features_, batch_, batch_stride_, starts_.from(t, 0)};
  }
  /// Sequence b as a matrix (F, T).
  MatrixMap<S> matrix(Index b) const {
    detail::check_index("SequenceView::matrix", "b", b, batch_);
    return {data_ + b * batch_stride_, features_, time_, Eigen::OuterStride<>(features_)};
  }
  /// The block as an Eigen::TensorMap (F, T, B); minrnn/core/tensor.hpp must be included. Throws std::invalid_argument
  /// where the block is not contiguous.
  template <class MapOf = detail::TensorMapOf<S>>
  auto tensor() const {
    static_assert(
        requires { sizeof(MapOf); }, "for SequenceView::tensor() include minrnn/core/tensor.hpp");
    detail::check_that(contiguous(), "SequenceView::tensor", "view", "a contiguous block", "one with a batch stride");
    return typename MapOf::type(data_, features_, time_, batch_);
  }

 private:
  static void check_range(std::string_view where, Index first, Index count, Index size) {
    if (first < 0 || count < 0 || first > size || count > size - first) [[unlikely]]
      throw_range(where, first, count, size);
  }
  [[noreturn]] MINRNN_COLD static void throw_range(std::string_view where, Index first, Index count, Index size) {
    detail::throw_argument(where, "first and count", {"a part of ", size}, {first, " and ", count});
  }
  /// An empty block may have no memory to point into.
  S* from(Index offset) const { return size() == 0 ? data_ : data_ + offset; }

  S* data_ = nullptr;
  Index features_ = 0, time_ = 0, batch_ = 0, batch_stride_ = 0;
  Starts starts_;
};

}  // namespace minrnn
