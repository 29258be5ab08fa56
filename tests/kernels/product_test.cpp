// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/gate_products.hpp"
#include "minrnn/kernels/product.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "reference/product.hpp"
#include "support/compare.hpp"

namespace minrnn::tests {
namespace {

template <class S>
class Product : public ::testing::Test {
 protected:
  static constexpr double kEps = static_cast<double>(std::numeric_limits<S>::epsilon());

  static Matrix<S> random(Index rows, Index columns, std::uint64_t seed) {
    Random random(seed);
    Matrix<S> m(rows, columns);
    fill_normal(m, random, 1);
    return m;
  }
  /// The rounding of a chain of `depth` multiply-adds of numbers of order 1.
  static double rounding(Index depth) { return 4 * kEps * static_cast<double>(depth + 1); }

  static void expect_close(const Matrix<S>& y, const Matrix<long double>& wanted, Index depth) {
    EXPECT_TRUE(close<double>(y.template cast<double>(), wanted.template cast<double>(), rounding(depth)));
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Product, Scalars);

// Below, at and above a packet, a panel and a block of columns of every target.
constexpr Index kRows[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65, 130};
constexpr Index kDepths[] = {1, 2, 5, 16, 33, 300};
constexpr Index kColumns[] = {0, 1, 2, 3, 5, 6, 7, 11, 12, 13, 24, 29};

TYPED_TEST(Product, OfAPackedWeight) {
  using S = TypeParam;
  for (const Index rows : kRows)
    for (const Index depth : kDepths) {
      const Matrix<S> w = this->random(rows, depth, 1), bias = this->random(rows, 1, 2);
      minrnn::detail::PackedWeight<S> packed;
      packed.prepare(w, 1000);
      EXPECT_EQ(packed.rows(), rows);
      EXPECT_EQ(packed.depth(), depth);
      for (const Index n : kColumns) {
        SCOPED_TRACE(minrnn::detail::shape_text(rows, depth, n));
        // Columns further apart than they are long, and one more than is asked for: nothing else may be written.
        const Matrix<S> x = this->random(depth + 3, n + 1, 3), used = x.topLeftCorner(depth, n);
        Matrix<S> y = Matrix<S>::Constant(rows + 2, n + 1, 77), unpacked = y, plain = y;
        packed.multiply({x.data(), depth, n, x.rows()}, bias, {y.data(), rows, n, y.rows()});
        this->expect_close(y.topLeftCorner(rows, n), reference::product<S>(w, used, &bias), depth);
        EXPECT_TRUE((y.bottomRows(2).array() == S(77)).all()) << "writes beyond its rows";
        EXPECT_TRUE((y.col(n).array() == S(77)).all()) << "writes beyond its columns";
        minrnn::detail::multiply_unpacked<S>(w, {x.data(), depth, n, x.rows()}, bias,
                                             {unpacked.data(), rows, n, y.rows()});
        EXPECT_TRUE(equal<S>(unpacked, y)) << "packed and unpacked give the same bits";
        packed.multiply({x.data(), depth, n, x.rows()}, {}, {plain.data(), rows, n, y.rows()});
        this->expect_close(plain.topLeftCorner(rows, n), reference::product<S>(w, used), depth);
        minrnn::detail::multiply_unpacked<S>(w, {x.data(), depth, n, x.rows()}, {},
                                             {unpacked.data(), rows, n, y.rows()});
        EXPECT_TRUE(equal<S>(unpacked, plain));
      }
    }
}

TYPED_TEST(Product, OfAColumnDoesNotDependOnItsNeighbours) {
  using S = TypeParam;
  const Index rows = 37, depth = 29, n = 31;
  const Matrix<S> w = this->random(rows, depth, 1), bias = this->random(rows, 1, 2), x = this->random(depth, n, 3);
  minrnn::detail::PackedWeight<S> packed;
  packed.prepare(w, n);
  Matrix<S> whole(rows, n), parts(rows, n);
  packed.multiply(x, bias, whole);
  for (Index first = 0, count = 1; first < n; first += count, count = std::min<Index>(count + 1, n - first))
    packed.multiply(Columns<const S>(x).block(first, count), bias, Columns<S>(parts).block(first, count));
  EXPECT_TRUE(equal(parts, whole));
}

TYPED_TEST(Product, OfSeveralWeightsPackedAsOne) {
  using S = TypeParam;
  for (const Index rows : {5, 16, 35}) {
    const Index depth = 19, n = 14;
    const Matrix<S> first = this->random(rows, depth, 1), second = this->random(rows, depth, 2);
    const Matrix<S> x = this->random(depth, n, 3), dy = this->random(2 * rows, n, 4);
    Matrix<S> both(2 * rows, depth), y(2 * rows, n), dx(depth, n);
    both << first, second;

    minrnn::detail::PackedWeight<S> packed;
    packed.resize(2 * rows, depth);
    packed.set_rows(0, first);
    packed.set_rows(rows, second);
    packed.multiply(x, {}, y);
    this->expect_close(y, reference::product<S>(both, x), depth);

    packed.resize(depth, 2 * rows);
    packed.set_transposed(0, first);
    packed.set_transposed(rows, second);
    packed.multiply(dy, {}, dx);
    this->expect_close(dx, reference::product<S>(both.transpose(), dy), 2 * rows);
  }
}

TYPED_TEST(Product, OfGatesPackedTogether) {
  using S = TypeParam;
  constexpr Index kWidth = Packet<S>::size;
  for (const Index rows : kRows)
    for (const Index n : {1, 4, 12, 29}) {
      const Index depth = 19;
      minrnn::detail::Array<Parameter<S>, 3> w, b;
      for (int gate = 0; gate < 3; ++gate) {
        w[gate].value = this->random(rows, depth, 10 + gate);
        b[gate].value = this->random(rows, 1, 20 + gate);
      }
      const Matrix<S> x = this->random(depth, n, 3);
      minrnn::detail::PackedGates<S, 3> packed;
      packed.pack(w, b);
      Sequence<S> scratch(packed.kScratch, 1, 1);
      std::array<Matrix<S>, 3> y{Matrix<S>(rows, n), Matrix<S>(rows, n), Matrix<S>(rows, n)};
      Index calls = 0;
      minrnn::for_lanes<S>(rows, [&](auto lanes) {
        Index next = 0;
        packed.for_columns(lanes, x, scratch.data(), [&](Index j, const auto& k) {
          EXPECT_EQ(j, next++) << "columns in order";
          for (int gate = 0; gate < 3; ++gate) lanes.store(y[gate].col(j).data(), k[gate]);
          ++calls;
        });
      });
      EXPECT_EQ(calls, n * ((rows + kWidth - 1) / kWidth));
      for (int gate = 0; gate < 3; ++gate) {
        Matrix<S> unpacked(rows, n);
        minrnn::detail::multiply_unpacked<S>(w[gate].value, x, b[gate].value, unpacked);
        EXPECT_TRUE(equal<S>(unpacked, y[gate])) << "the same bits as one gate alone";
      }
    }
}

/// One column by gates side by side, and by one gate after the other.
template <int gates, class S>
void expect_bits_of_gate_after_gate(Index rows, Index depth, const std::function<Matrix<S>(Index, Index)>& random) {
  minrnn::detail::Array<Parameter<S>, gates> w, b;
  for (int gate = 0; gate < gates; ++gate) {
    w[gate].value = random(rows, depth);
    b[gate].value = random(rows, 1);
  }
  const Matrix<S> x = random(depth, 1);
  Matrix<S> k = Matrix<S>::Constant(gates * rows + 2, 1, 77), wanted = k;
  minrnn::detail::multiply_gates<S, gates>(w, b, x.data(), k.data());
  for (int gate = 0; gate < gates; ++gate)
    minrnn::detail::multiply_unpacked<S>(w[gate].value, {x.data(), depth, 1}, b[gate].value,
                                         {wanted.data() + gate * rows, rows, 1});
  EXPECT_TRUE(equal<S>(k, wanted)) << gates << " gates of (" << rows << ", " << depth << ")";
}

TYPED_TEST(Product, OfGatesOfOneColumnHasTheBitsOfGateAfterGate) {
  using S = TypeParam;
  std::uint64_t seed = 0;
  const auto random = [&](Index rows, Index columns) { return this->random(rows, columns, ++seed); };
  for (const Index rows : {1, 3, 4, 7, 8, 9, 16, 17, 33, 48, 64, 65, 96, 112, 128, 130, 240, 257})
    for (const Index depth : {1, 2, 33}) {
      expect_bits_of_gate_after_gate<1, S>(rows, depth, random);
      expect_bits_of_gate_after_gate<2, S>(rows, depth, random);
      expect_bits_of_gate_after_gate<3, S>(rows, depth, random);
      expect_bits_of_gate_after_gate<4, S>(rows, depth, random);
    }
}

TYPED_TEST(Product, AddsOuterProducts) {
  using S = TypeParam;
  for (const Index rows : kRows)
    for (const Index columns : {1, 5, 6, 12, 17, 33})
      for (const Index n : {0, 1, 7, 255, 256, 257, 600}) {
        SCOPED_TRACE(minrnn::detail::shape_text(rows, columns, n));
        const Matrix<S> a = this->random(rows + 1, n, 1), b = this->random(columns + 2, n, 2);
        const Matrix<S> before = this->random(rows, columns, 3);
        Matrix<S> c = before;
        Sequence<S> scratch(minrnn::detail::kOuterScratch<S>, 1, 1);
        minrnn::detail::add_outer_product<S>({a.data(), rows, n, a.rows()}, {b.data(), columns, n, b.rows()}, c,
                                             scratch.data());
        const Matrix<long double> wanted =
            before.template cast<long double>() +
            reference::product<S>(a.topRows(rows), Matrix<S>(b.topRows(columns)).transpose());
        this->expect_close(c, wanted, n);
      }
}

TYPED_TEST(Product, AddsColumns) {
  using S = TypeParam;
  for (const Index rows : kRows) {
    const Matrix<S> a = this->random(rows + 1, 13, 1), before = this->random(rows, 1, 2);
    Matrix<S> sum = before;
    minrnn::detail::add_columns<S>({a.data(), rows, 13, a.rows()}, sum);
    const Matrix<long double> wanted =
        before.template cast<long double>() + a.topRows(rows).template cast<long double>().rowwise().sum();
    this->expect_close(sum, wanted, 13);
  }
}

}  // namespace
}  // namespace minrnn::tests
