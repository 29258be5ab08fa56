// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/narrow_product.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/kernels/product.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

using minrnn::detail::Bf16;
using minrnn::detail::IntegerFrame;
using minrnn::detail::NarrowWeight;
using minrnn::detail::PairSums;
using minrnn::detail::StoredMatrix;

TEST(PairSums, AreThoseOfPlainLoops) {
  Random random(1);
  std::vector<std::int8_t> w(32 * 9);
  std::vector<std::int16_t> x(2 * 9);
  for (int repeat = 0; repeat < 50; ++repeat) {
    for (auto& element : w) element = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
    for (auto& element : x) element = static_cast<std::int16_t>(static_cast<int>(random.below(65536)) - 32768);
    if (repeat == 0) {  // the largest products
      std::fill(w.begin(), w.end(), std::int8_t{-128});
      std::fill(x.begin(), x.end(), std::int16_t{-32768});
    }
    PairSums one, other;
    std::int64_t wanted[16] = {};
    for (std::size_t k = 0; k < 9; ++k) {
      (k % 2 == 0 ? one : other).add(PairSums::Weights(w.data() + 32 * k), x.data() + 2 * k);
      for (std::size_t r = 0; r < 16; ++r)
        wanted[r] += w[32 * k + 2 * r] * x[2 * k] + w[32 * k + 2 * r + 1] * x[2 * k + 1];
    }
    one.add(other);
    std::int32_t sums[16];
    one.store(sums);
    for (std::size_t r = 0; r < 16; ++r) EXPECT_EQ(sums[r], wanted[r]) << r;
  }
}

template <class S>
class NarrowProduct : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(NarrowProduct, Scalars);

TYPED_TEST(NarrowProduct, AFrameAsIntegersIsOffByHalfAStep) {
  using S = TypeParam;
  using Limits = std::numeric_limits<S>;
  Random random(1);
  const auto frame = std::make_unique<IntegerFrame<S>>();
  for (const Index n : {1, 2, 3, 7, 8, 15, 16, 17, 33, 1023, 1024})
    for (const S size : {S(1), S(1e-6), S(1e30), Limits::min(), Limits::denorm_min(), Limits::max() / 8, S(0)}) {
      SCOPED_TRACE(::testing::Message() << n << " numbers of size " << size);
      Matrix<S> x = random_matrix<S>(n, 1, random);
      x = (x * size).eval();
      frame->take(x.data(), n);
      const double scale = static_cast<double>(frame->scale), most = static_cast<double>(x.cwiseAbs().maxCoeff());
      EXPECT_TRUE(std::isnormal(frame->scale));
      int exponent = 0;
      EXPECT_EQ(std::frexp(frame->scale, &exponent), S(0.5)) << "a power of two";
      EXPECT_LE(most, 0x1p14 * scale);
      if (most > 1e-30) {
        EXPECT_GE(most, 0x1p13 * scale);
      }
      for (Index k = 0; k < n; ++k)
        EXPECT_LE(std::abs(static_cast<double>(x(k, 0)) - scale * frame->q[k]), scale / 2) << k;
      if (n % 2 == 1) {
        EXPECT_EQ(frame->q[n], 0) << "the other of the last two";
      }
    }
  for (const S bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()})
    for (const Index at : {0, 5, 16, 18}) {
      Matrix<S> x = random_matrix<S>(19, 1, random);
      x(at, 0) = bad;
      frame->take(x.data(), 19);
      EXPECT_TRUE(std::isnan(frame->scale)) << bad << " at " << at;
      EXPECT_TRUE(std::all_of(frame->q, frame->q + 20, [](int q) { return q == 0; }));
    }
}

// Below, at and above the panels of all targets, a pair, and a slice.
constexpr Index kRows[] = {1, 15, 16, 17, 33, 130, 259};
constexpr Index kDepths[] = {1, 2, 5, 16, 33, 1024, 1025, 2500};
constexpr Index kColumns[] = {0, 1, 3, 4, 5, 9};

template <class S>
NarrowWeight<S> random_integers(Index rows, Index depth, Random& random) {
  NarrowWeight<S> w;
  w.int8.resize(rows, depth, ReadBy::products);
  w.scale = random_matrix<S>(rows, 1, random).cwiseAbs();
  for (Index r = 0; r < rows; ++r)
    for (Index k = 0; k < depth; ++k)
      w.int8(r, k) = static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
  return w;
}

/// The same by plain loops over 64 bits. What remains to be rounded, once for each slice, is rounded as it is there.
template <class S>
S plain_product(const NarrowWeight<S>& w, const S* x, Index row, S bias) {
  constexpr Index kSlice = IntegerFrame<S>::kMost;
  const auto frame = std::make_unique<IntegerFrame<S>>();
  Packet<S> y(bias);
  for (Index first = 0; first < w.cols(); first += kSlice) {
    const Index n = std::min<Index>(kSlice, w.cols() - first);
    frame->take(x + first, n);
    std::int64_t sum = 0;
    for (Index k = 0; k < n; ++k) sum += std::int64_t{w.int8(row, first + k)} * frame->q[k];
    y = fma(Packet<S>(static_cast<S>(sum)), Packet<S>(w.scale(row, 0) * frame->scale), y);
  }
  return y.first();
}

TYPED_TEST(NarrowProduct, OfIntegersIsExact) {
  using S = TypeParam;
  Random random(1);
  for (const Index rows : kRows)
    for (const Index depth : kDepths) {
      const NarrowWeight<S> w = random_integers<S>(rows, depth, random);
      const Matrix<S> bias = random_matrix<S>(rows, 1, random);
      for (const Index n : kColumns) {
        SCOPED_TRACE(minrnn::detail::shape_text(rows, depth, n));
        // Columns further apart than they are long, and one more than is asked for: nothing else may be written.
        const Matrix<S> x = random_matrix<S>(depth + 3, n + 1, random);
        Matrix<S> y = Matrix<S>::Constant(rows + 2, n + 1, 77), plain = y;
        minrnn::detail::multiply_narrow(w, {x.data(), depth, n, x.rows()}, bias, {y.data(), rows, n, y.rows()});
        for (Index j = 0; j < n; ++j)
          for (Index r : {Index{0}, rows / 2, rows - 1})
            EXPECT_EQ(y(r, j), plain_product(w, x.col(j).data(), r, bias(r, 0))) << r << ", " << j;
        EXPECT_TRUE((y.bottomRows(2).array() == S(77)).all()) << "writes beyond its rows";
        EXPECT_TRUE((y.col(n).array() == S(77)).all()) << "writes beyond its columns";
        minrnn::detail::multiply_narrow(w, {x.data(), depth, n, x.rows()}, {}, {plain.data(), rows, n, y.rows()});
        for (Index j = 0; j < n; ++j)
          EXPECT_EQ(plain(rows - 1, j), plain_product(w, x.col(j).data(), rows - 1, S(0))) << "without a bias";
      }
    }
}

TYPED_TEST(NarrowProduct, OfTheLargestIntegersDoesNotOverflow) {
  using S = TypeParam;
  Random random(1);
  for (const int sign : {1, -1}) {
    NarrowWeight<S> w = random_integers<S>(16, 1024, random);
    for (Index r = 0; r < 16; ++r)
      for (Index k = 0; k < 1024; ++k) w.int8(r, k) = static_cast<std::int8_t>(127 * sign);
    w.scale.setOnes();
    // Just below a power of two, the most that a frame has of its scale.
    const Matrix<S> x = Matrix<S>::Constant(1024, 1, std::nextafter(S(1), S(0)));
    Matrix<S> y(16, 1);
    minrnn::detail::multiply_narrow(w, x, {}, y);
    EXPECT_TRUE((y.array() == S(sign * 127 * 1024)).all()) << y(0, 0);
  }
}

TYPED_TEST(NarrowProduct, OfAFrameThatIsNotFiniteIsNaN) {
  using S = TypeParam;
  Random random(1);
  const NarrowWeight<S> w = random_integers<S>(17, 1030, random);
  for (const Index at : {3, 1029}) {
    Matrix<S> x = random_matrix<S>(1030, 5, random);
    x(at, 2) = std::numeric_limits<S>::infinity();
    Matrix<S> y(17, 5);
    minrnn::detail::multiply_narrow(w, x, {}, y);
    EXPECT_TRUE(y.col(2).array().isNaN().all());
    EXPECT_TRUE(y.col(1).allFinite() && y.col(3).allFinite()) << "its neighbours";
  }
}

TYPED_TEST(NarrowProduct, OfBf16HasTheBitsOfTheSameWeightsInFull) {
  using S = TypeParam;
  Random random(1);
  for (const Index rows : kRows)
    for (const Index depth : kDepths) {
      Parameter<S> w;
      w.narrow.bf16.resize(rows, depth, ReadBy::products);
      w.narrow.multiply = minrnn::detail::multiply_narrow<S>;
      Matrix<S> full(rows, depth);
      for (Index r = 0; r < rows; ++r)
        for (Index k = 0; k < depth; ++k) {
          w.narrow.bf16(r, k) = {static_cast<std::uint16_t>(0x3f00 + random.below(256) + 0x8000 * random.below(2))};
          full(r, k) = static_cast<S>(widened(w.narrow.bf16(r, k)));
        }
      const Matrix<S> bias = random_matrix<S>(rows, 1, random);
      for (const Index n : kColumns) {
        SCOPED_TRACE(minrnn::detail::shape_text(rows, depth, n));
        const Matrix<S> x = random_matrix<S>(depth + 3, n + 1, random);
        Matrix<S> y = Matrix<S>::Constant(rows + 2, n + 1, 77), wanted = y, packed = y;
        minrnn::detail::multiply_narrow(w.narrow, {x.data(), depth, n, x.rows()}, bias, {y.data(), rows, n, y.rows()});
        minrnn::detail::multiply_unpacked<S>(full, {x.data(), depth, n, x.rows()}, bias,
                                             {wanted.data(), rows, n, y.rows()});
        EXPECT_TRUE(equal<S>(y, wanted));
        minrnn::detail::PackedWeight<S> unpacked;
        unpacked.prepare(w, 1000);  // becomes floats, for many columns
        unpacked.multiply({x.data(), depth, n, x.rows()}, bias, {packed.data(), rows, n, y.rows()});
        EXPECT_TRUE(equal<S>(packed, wanted));
        minrnn::detail::multiply_narrow(w.narrow, {x.data(), depth, n, x.rows()}, {}, {y.data(), rows, n, y.rows()});
        minrnn::detail::multiply_unpacked<S>(full, {x.data(), depth, n, x.rows()}, {},
                                             {wanted.data(), rows, n, y.rows()});
        EXPECT_TRUE(equal<S>(y, wanted)) << "without a bias";
      }
    }
}

TEST(StoredMatrix, KeepsItsElementsApart) {
  for (const ReadBy read_by : {ReadBy::products, ReadBy::symbols})
    for (const Index rows : {1, 16, 19})
      for (const Index columns : {1, 4, 7}) {
        StoredMatrix<std::int8_t> m;
        EXPECT_TRUE(m.empty());
        m.resize(rows, columns, read_by);
        EXPECT_EQ(m.rows(), rows);
        EXPECT_EQ(m.cols(), columns);
        const auto number = [&](Index r, Index c) { return static_cast<std::int8_t>(r * columns + c); };
        for (Index r = 0; r < rows; ++r)
          for (Index c = 0; c < columns; ++c) m(r, c) = number(r, c);
        const StoredMatrix<std::int8_t> copy = m;
        m.resize(rows, columns, read_by);
        for (Index r = 0; r < rows; ++r)
          for (Index c = 0; c < columns; ++c) {
            EXPECT_EQ(copy(r, c), number(r, c));
            EXPECT_EQ(m(r, c), 0);
          }
      }
}

}  // namespace
}  // namespace minrnn::tests
