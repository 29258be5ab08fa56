// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/sequence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "support/message.hpp"

namespace minrnn::tests {
namespace {

/// (3, 4, 2), where element (f, t, b) is 100 b + 10 t + f.
Sequence<float> counted() {
  Sequence<float> sequence(3, 4, 2);
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 4; ++t)
      for (Index f = 0; f < 3; ++f) sequence.view().column(t, b)[f] = static_cast<float>(100 * b + 10 * t + f);
  return sequence;
}

TEST(SequenceView, OfAMatrixIsOneSequence) {
  Matrix<float> matrix(3, 4);
  for (Index i = 0; i < 12; ++i) matrix.data()[i] = static_cast<float>(i);
  const auto expect_one = [&](SequenceView<const float> view, const float* data, Index features, Index time) {
    EXPECT_EQ(view.data(), data);
    EXPECT_EQ(view.features(), features);
    EXPECT_EQ(view.time(), time);
    EXPECT_EQ(view.batch(), 1);
    EXPECT_TRUE(view.contiguous());
    EXPECT_EQ(view.matrix(0), Eigen::Map<const Matrix<float>>(data, features, time));
  };
  const Matrix<float>& fixed = matrix;
  expect_one(matrix, matrix.data(), 3, 4);
  expect_one(fixed, matrix.data(), 3, 4);
  expect_one(fixed.middleCols(1, 2), matrix.data() + 3, 3, 2);
  expect_one(matrix.col(2), matrix.data() + 6, 3, 1);
  expect_one(matrix.col(2).head(2), matrix.data() + 6, 2, 1);
  expect_one(Eigen::Map<const Matrix<float>>(matrix.data(), 2, 6), matrix.data(), 2, 6);
  expect_one(SequenceView<const float>(matrix).matrix(0), matrix.data(), 3, 4);
  const Eigen::Ref<const Matrix<float>> reference = matrix;
  expect_one(reference, matrix.data(), 3, 4);
  Eigen::ArrayXXf array = matrix;
  expect_one(array, array.data(), 3, 4);
  SequenceView<float> writable = matrix;
  *writable.column(1, 0) = -1;
  EXPECT_EQ(matrix(0, 1), -1);
  Eigen::Matrix<float, 3, 0> none;
  EXPECT_EQ(SequenceView<float>(none).time(), 0);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { SequenceView<float>(matrix.topRows(2)); }),
            "SequenceView: outer stride of a matrix: wanted 2, as frames have no gap, given 3");

  using View = SequenceView<const float>;
  static_assert(!std::is_convertible_v<Matrix<float>, View>, "a temporary");
  static_assert(!std::is_convertible_v<const Matrix<float>, View>);
  static_assert(!std::is_convertible_v<Eigen::ArrayXXf, View>);
  static_assert(!std::is_convertible_v<Eigen::Ref<const Matrix<float>>, View>, "which may hold a copy");
  static_assert(std::is_convertible_v<Eigen::Ref<Matrix<float>>, View>);
  static_assert(!std::is_convertible_v<const Matrix<float>&, SequenceView<float>>);
  static_assert(!std::is_convertible_v<Matrix<double>&, View>);
  static_assert(!std::is_convertible_v<Eigen::Matrix<float, 3, 4, Eigen::RowMajor>&, View>);
  static_assert(!std::is_convertible_v<decltype(matrix.row(1)), View>);
  static_assert(!std::is_convertible_v<decltype(matrix.transpose()), View>);
  static_assert(!std::is_convertible_v<decltype(matrix + matrix), View>);
}

TEST(SequenceView, LiesInMemoryAsPyTorchsBatchFirst) {
  std::vector<float> memory(24);
  std::iota(memory.begin(), memory.end(), 0.0f);
  const SequenceView<float> view(memory.data(), 3, 4, 2);
  EXPECT_EQ(view.column(1, 1)[2], (1 * 4 + 1) * 3 + 2);
  EXPECT_TRUE(view.contiguous());
  EXPECT_EQ(view.size(), 24);
}

TEST(SequenceView, HasChunksFramesAndSequences) {
  Sequence<float> sequence = counted();
  const SequenceView<float> view = sequence;
  const auto chunk = view.chunk(1, 2);
  EXPECT_EQ(chunk.time(), 2);
  EXPECT_EQ(chunk.batch(), 2);
  EXPECT_FALSE(chunk.contiguous());
  EXPECT_EQ(chunk.column(0, 1)[2], 112);
  EXPECT_EQ(chunk.matrix(1)(2, 1), 122);
  EXPECT_EQ(chunk.chunk(1, 1).column(0, 0)[0], 20);
  EXPECT_EQ(view.chunk(4, 0).size(), 0);

  const auto second = view.sequences(1, 1);
  EXPECT_EQ(second.batch(), 1);
  EXPECT_EQ(second.column(3, 0)[1], 131);

  const auto frame = view.frame(2);
  EXPECT_EQ(frame.features(), 3);
  EXPECT_EQ(frame.batch(), 2);
  EXPECT_EQ(frame.matrix()(1, 1), 121);
  EXPECT_EQ(frame.column(1)[0], 120);
  EXPECT_EQ(frame.sequence().column(0, 1)[2], 122);
  EXPECT_EQ(chunk.frame(1).matrix()(0, 1), 120);

  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.chunk(3, 2); }),
            "SequenceView::chunk: first and count: wanted a part of 4, given 3 and 2");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.chunk(-1, 2); }),
            "SequenceView::chunk: first and count: wanted a part of 4, given -1 and 2");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.sequences(2, 1); }),
            "SequenceView::sequences: first and count: wanted a part of 2, given 2 and 1");
}

TEST(SequenceView, RefusesPartsAndSizesThatAreNone) {
  constexpr Index kMost = std::numeric_limits<Index>::max();
  Sequence<float> sequence = counted();
  const SequenceView<float> view = sequence;
  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.chunk(1, kMost); }),
            "SequenceView::chunk: first and count: wanted a part of 4, given 1 and " + std::to_string(kMost));
  EXPECT_THROW(view.chunk(kMost, kMost), std::invalid_argument);
  EXPECT_THROW(view.sequences(1, kMost), std::invalid_argument);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.frame(4); }),
            "SequenceView::frame: t: wanted at least 0 and below 4, given 4");
  EXPECT_THROW(view.frame(-1), std::invalid_argument);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.matrix(2); }),
            "SequenceView::matrix: b: wanted at least 0 and below 2, given 2");
  EXPECT_THROW(view.matrix(-1), std::invalid_argument);

  constexpr Index kHalf = Index{1} << (std::numeric_limits<Index>::digits / 2 + 1);
  float* memory = sequence.data();
  EXPECT_THROW(SequenceView<float>(memory, kHalf, kHalf, 1), std::invalid_argument);
  EXPECT_THROW(SequenceView<float>(memory, 1, kHalf, kHalf, 1), std::invalid_argument);
  EXPECT_THROW(SequenceView<float>(memory, -1, 2, 3), std::invalid_argument);
  EXPECT_THROW(SequenceView<float>(memory, 1, 2, 3, -2), std::invalid_argument);
  EXPECT_THROW(FrameView<float>(memory, -1), std::invalid_argument);
  EXPECT_THROW(FrameView<float>(memory, 2, -1), std::invalid_argument);
  EXPECT_THROW(FrameView<float>(memory, 2, 3, -2), std::invalid_argument);
  EXPECT_THROW(FrameView<float>(memory, kHalf, kHalf), std::invalid_argument);
}

TEST(SequenceView, CarriesItsStartsIntoItsParts) {
  Sequence<float> sequence = counted();
  const std::vector<std::uint8_t> flags{1, 0, 0, 1, 0, 0, 1, 0};  // (0, 0), (3, 0), (2, 1)
  const SequenceView<float> bare = sequence, view = bare.with_starts(flags.data());
  const auto places = [](const auto& v) {
    std::vector<std::pair<Index, Index>> list;
    for (Index b = 0; b < v.batch(); ++b)
      for (Index t = 0; t < v.time(); ++t)
        if (v.starts(t, b)) list.emplace_back(t, b);
    return list;
  };
  using Places = std::vector<std::pair<Index, Index>>;
  EXPECT_EQ(places(bare), Places{});
  EXPECT_EQ(places(view), (Places{{0, 0}, {3, 0}, {2, 1}}));
  EXPECT_EQ(places(view.chunk(2, 2)), (Places{{1, 0}, {0, 1}}));
  EXPECT_EQ(places(view.chunk(1, 3).chunk(1, 2)), (Places{{1, 0}, {0, 1}}));
  EXPECT_EQ(places(view.sequences(1, 1)), (Places{{2, 0}}));
  EXPECT_EQ(places(view.sequences(1, 1).chunk(2, 1)), (Places{{0, 0}}));
  EXPECT_EQ(places(view.frame(2).sequence()), (Places{{0, 1}}));
  EXPECT_EQ(places(SequenceView<const float>(view)), places(view));
  EXPECT_FALSE(view.frame(2).starts()(0, 0));
  EXPECT_TRUE(view.frame(2).starts()(0, 1));
  const SequenceView<const float> plain = view.with_starts(nullptr);
  EXPECT_EQ(places(plain), Places{});
}

TEST(FrameView, IsAMatrixAVectorOrAMapWithoutACopy) {
  Matrix<float> matrix = Matrix<float>::Random(3, 5);
  const FrameView<const float> whole = matrix;
  EXPECT_EQ(whole.data(), matrix.data());
  EXPECT_EQ(whole.features(), 3);
  EXPECT_EQ(whole.batch(), 5);
  const FrameView<float> part = matrix.block(1, 2, 2, 3);
  EXPECT_EQ(part.features(), 2);
  EXPECT_EQ(part.batch(), 3);
  EXPECT_EQ(part.column(1), matrix.col(3).data() + 1);
  EXPECT_EQ(part.matrix(), matrix.block(1, 2, 2, 3));

  Eigen::Vector3f vector(1, 2, 3);
  const FrameView<const float> one = vector;
  EXPECT_EQ(one.data(), vector.data());
  EXPECT_EQ(one.batch(), 1);
  const Eigen::Vector3f fixed = vector;
  const FrameView<const float> of_fixed = fixed;
  EXPECT_EQ(of_fixed.column(0)[2], 3);
  static_assert(!std::is_constructible_v<FrameView<float>, const Eigen::Vector3f&>);
  static_assert(!std::is_constructible_v<FrameView<float>, Eigen::Matrix<float, 3, 5, Eigen::RowMajor>&>);
  static_assert(!std::is_constructible_v<FrameView<float>, Matrix<double>&>);
}

/// A view of an Eigen object has its elements, or there is no such view.
template <class M>
void expect_right_or_refused(M&& m, bool taken) {
  EXPECT_EQ((std::is_constructible_v<FrameView<const float>, M>), taken) << m;
  if constexpr (std::is_constructible_v<FrameView<const float>, M>) {
    const FrameView<const float> view(m);
    ASSERT_EQ(view.features(), m.rows());
    ASSERT_EQ(view.batch(), m.cols());
    for (Index j = 0; j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) EXPECT_EQ(view.column(j)[i], m(i, j));
    EXPECT_EQ(view.matrix(), m.matrix());
  }
}

TEST(FrameView, OfAnyEigenObjectIsRightOrDoesNotCompile) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Matrix<float> x(4, 5);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  const Matrix<float> fixed = x;
  RowMajor rows = x;
  Eigen::Matrix<float, 3, 4, Eigen::RowMajor> small_rows;
  for (Index i = 0; i < 12; ++i) small_rows.data()[i] = static_cast<float>(i);
  Eigen::VectorXf v = x.col(1);
  Eigen::ArrayXXf array = x.array();
  Eigen::MatrixXcf complex(3, 3);
  complex.setConstant({1, 2});
  float interleaved[] = {1, 10, 2, 20, 3, 30};

  expect_right_or_refused(x, true);
  expect_right_or_refused(fixed, true);
  expect_right_or_refused(array, true);
  expect_right_or_refused(v, true);
  expect_right_or_refused(x.col(2), true);
  expect_right_or_refused(fixed.col(2), true);
  expect_right_or_refused(x.middleCols(1, 3), true);
  expect_right_or_refused(x.block(1, 1, 2, 3), true);
  expect_right_or_refused(x.topRows(2), true);
  expect_right_or_refused(x.topRows<2>(), true);
  expect_right_or_refused(x.col(1).segment(1, 2), true);
  expect_right_or_refused(rows.transpose(), true);
  expect_right_or_refused(rows.row(1).transpose(), true);
  expect_right_or_refused(Eigen::Map<Eigen::VectorXf>(interleaved, 6), true);
  expect_right_or_refused(
      Eigen::Map<Matrix<float>, 0, Eigen::OuterStride<>>(interleaved, 2, 2, Eigen::OuterStride<>(3)), true);
  expect_right_or_refused(Eigen::Ref<Eigen::VectorXf>(v), true);

  expect_right_or_refused(x.row(1), false);
  expect_right_or_refused(x.row(1).transpose(), false);
  expect_right_or_refused(x.transpose(), false);
  expect_right_or_refused(x.diagonal(), false);
  expect_right_or_refused(x.reshaped(10, 2), true);
  expect_right_or_refused(rows, false);
  expect_right_or_refused(rows.col(1), false);
  expect_right_or_refused(small_rows.col(1), false);
  expect_right_or_refused(v.reverse(), false);
  expect_right_or_refused(v(Eigen::seq(0, 2, 2)), false);
  expect_right_or_refused(complex.real(), false);
  expect_right_or_refused(Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<2>>(interleaved, 3), false);
  expect_right_or_refused(Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>>(interleaved, 3, Eigen::InnerStride<>(2)),
                          false);
  expect_right_or_refused(Eigen::Map<Matrix<float>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>(
                              interleaved, 1, 2, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(3, 2)),
                          false);
  Eigen::Ref<Eigen::VectorXf, 0, Eigen::InnerStride<>> strided(x.row(1).transpose());
  expect_right_or_refused(strided, false);
}

TEST(Sequence, GrowsAndNeverShrinks) {
  Sequence<double> sequence(5, 7, 3);
  const double* data = sequence.data();
  sequence.resize(5, 2, 3);
  EXPECT_EQ(sequence.data(), data);
  EXPECT_EQ(sequence.time(), 2);
  EXPECT_EQ(sequence.size(), 30);
  EXPECT_TRUE(sequence.view().contiguous());
  sequence.resize(7, 5, 3);
  EXPECT_EQ(sequence.data(), data) << "the same size in another shape";
  sequence.resize(7, 50, 3);
  EXPECT_EQ(sequence.size(), 7 * 50 * 3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sequence.data()) % EIGEN_MAX_ALIGN_BYTES, 0u);
}

TEST(SequenceView, OfNothingMayHaveNoMemory) {
  const SequenceView<float> none(nullptr, 3, 10, 0);
  EXPECT_EQ(none.chunk(5, 5).data(), nullptr);
  EXPECT_EQ(none.frame(9).data(), nullptr);
  EXPECT_EQ(SequenceView<float>(nullptr, 3, 0, 4).sequences(2, 2).data(), nullptr);
}

TEST(Sequence, RefusesSizesThatAreNoneAndStaysAsItWas) {
  Sequence<float> sequence(2, 3, 1);
  const float* data = sequence.data();
  constexpr Index kLarge = Index{1} << (std::numeric_limits<Index>::digits - 1);
  constexpr Index kHalf = Index{1} << (std::numeric_limits<Index>::digits / 2 + 1);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { sequence.resize(-1, 2, 3); }),
            "Sequence: (F, T, B): wanted sizes of at least 0 that memory can hold, given (-1, 2, 3)");
  EXPECT_THROW(sequence.resize(kLarge, 1, 1), std::invalid_argument);
  EXPECT_THROW(sequence.resize(kHalf, kHalf, 1), std::invalid_argument);
  EXPECT_THROW(sequence.resize(1, kHalf, kHalf), std::invalid_argument);
  EXPECT_THROW(Sequence<float>(-1, 2, 3), std::invalid_argument);
  EXPECT_THROW(Sequence<float>(kLarge, 1, 1), std::invalid_argument);
  EXPECT_EQ(sequence.view().data(), data);
  EXPECT_EQ(sequence.size(), 6);
  EXPECT_EQ(Sequence<float>(kLarge, 0, 1).size(), 0) << "nothing, however wide, takes no memory";
}

TEST(Sequence, IsEmptyWhereItsMemoryCannotBeHad) {
#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
  GTEST_SKIP() << "an address sanitizer ends the program where memory cannot be had";
#endif
#endif
  if (std::numeric_limits<Index>::digits < 63)
    GTEST_SKIP() << "sizes of 32 bits stay within the memory that can be had";
  Sequence<float> sequence(2, 3, 1);
  EXPECT_THROW(sequence.resize(Index{1} << (std::numeric_limits<Index>::digits - 7), 1, 1), std::bad_alloc);
  EXPECT_EQ(sequence.view().data(), nullptr);
  EXPECT_EQ(sequence.size(), 0);
  sequence.resize(2, 3, 1);
  std::fill_n(sequence.data(), 6, 1.0f);
}

TEST(Sequence, MovesItsMemory) {
  static_assert(!std::is_copy_constructible_v<Sequence<float>>);
  Sequence<float> first(2, 3, 1);
  first.data()[5] = 8;
  const float* data = first.data();
  Sequence<float> second = std::move(first);
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(second.view().column(2, 0)[1], 8);
  EXPECT_EQ(first.size(), 0);
  EXPECT_EQ(first.view().data(), nullptr);
  first.resize(2, 2, 2);
  EXPECT_NE(first.data(), data);
  first = std::move(second);
  EXPECT_EQ(first.data(), data);
  EXPECT_EQ(second.size(), 0);
}

#ifdef MINRNN_POISON_BUFFERS
TEST(Sequence, IsPoisonedUntilItIsWritten) {
  Sequence<float> sequence(2, 3, 1);
  std::fill_n(sequence.data(), 6, 1.0f);
  sequence.resize(2, 2, 1);
  for (Index i = 0; i < 4; ++i) EXPECT_TRUE(std::isnan(sequence.data()[i]));
}
#endif

}  // namespace
}  // namespace minrnn::tests
