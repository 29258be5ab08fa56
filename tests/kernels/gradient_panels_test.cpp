// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/gradient_panels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "reference/product.hpp"
#include "support/compare.hpp"

namespace minrnn::tests {
namespace {

using minrnn::detail::add_products_in_panels;
using minrnn::detail::GradientPanels;

TEST(GradientPanels, CoverEveryWeightOnce) {
  for (const auto& [rows, columns] : {std::pair<Index, Index>{1, 1}, {31, 700}, {384, 384}, {385, 450}, {1024, 33}}) {
    const GradientPanels panels(2, rows, columns);
    Matrix<int> seen = Matrix<int>::Zero(2 * rows, columns);
    for (Index i = 0; i < panels.count(); ++i) {
      const auto panel = panels[i];
      EXPECT_LE(panel.rows * panel.columns, panels.size());
      EXPECT_LE(std::max(panel.rows, panel.columns), GradientPanels::kMost);
      seen.block(panel.weight * rows + panel.row, panel.column, panel.rows, panel.columns).array() += 1;
    }
    EXPECT_TRUE((seen.array() == 1).all()) << rows << " x " << columns;
  }
}

TEST(GradientPanels, PayWhereWeightsAreLarge) {
  EXPECT_FALSE(GradientPanels::pays(64 * 64, true));
  EXPECT_TRUE(GradientPanels::pays(256 * 256, true));
  EXPECT_FALSE(GradientPanels::pays(2 * 256 * 256, false));
  EXPECT_TRUE(GradientPanels::pays(2 * 512 * 512, false));
}

template <class S>
class ProductsInPanels : public ::testing::Test {
 protected:
  static constexpr double kEps = static_cast<double>(std::numeric_limits<S>::epsilon());

  static void fill(Sequence<S>& sequence, Random& random) {
    Matrix<S> m(sequence.size(), 1);
    fill_normal(m, random, 1);
    std::copy_n(m.data(), m.size(), sequence.data());
  }

  /// Two gradients that hold something, and those products of dY and X on top.
  static std::array<Matrix<S>, 2> add(SequenceView<const S> dy, SequenceView<const S> x, const Context& context) {
    const Index rows = dy.features() / 2;
    std::array<Matrix<S>, 2> dw{Matrix<S>::Constant(rows, x.features(), 1), Matrix<S>::Constant(rows, x.features(), 2)};
    Sequence<S> sums, scratch;
    add_products_in_panels<S>(context, dy, x, std::array{&dw[0], &dw[1]}, sums, scratch);
    return dw;
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ProductsInPanels, Scalars);

// Below and above a panel of the kernel, a panel, a block of its depth; pieces of the frames; nothing at all.
TYPED_TEST(ProductsInPanels, AreTheSumOverAllFramesOnAnyNumberOfThreads) {
  using S = TypeParam;
  struct Shape {
    Index rows, columns, time, batch;
  };
  for (const Shape s : {Shape{5, 3, 7, 2}, {40, 400, 300, 1}, {400, 13, 4, 5}, {33, 64, 20, 60}, {3, 3, 0, 2}}) {
    SCOPED_TRACE(std::to_string(s.rows) + " x " + std::to_string(s.columns) + ", " + std::to_string(s.time) +
                 " frames of " + std::to_string(s.batch));
    Random random(1);
    // Frames of longer sequences, which are not side by side, and frames that are.
    Sequence<S> dy(2 * s.rows, s.time + 3, s.batch), x(s.columns, s.time, s.batch);
    this->fill(dy, random);
    this->fill(x, random);
    const SequenceView<const S> dy_part = SequenceView<const S>(dy).chunk(2, s.time);
    const auto found = this->add(dy_part, x, {});
    const Matrix<S> a = to_matrix(dy_part), b = to_matrix(x.view());
    for (Index i = 0; i < 2; ++i) {
      const Matrix<S>& dw = found[static_cast<std::size_t>(i)];
      const Matrix<S> rows = a.cols() == 0 ? Matrix<S>(s.rows, 0) : Matrix<S>(a.middleRows(i * s.rows, s.rows));
      const Matrix<long double> wanted = reference::product<S>(rows, Matrix<S>(b.transpose())).array() + (i + 1);
      // A chain of multiply-adds of numbers of order 1.
      EXPECT_TRUE(close<double>(dw.template cast<double>(), wanted.template cast<double>(),
                                4 * this->kEps * static_cast<double>(a.cols() + 1)));
    }
    for (const Index workers : {2, 3}) {
      ThreadPool pool(workers, 0);
      EXPECT_TRUE(equal(this->add(dy_part, x, {.executor = &pool})[0], found[0])) << workers << " workers";
      EXPECT_TRUE(equal(this->add(dy_part, x, {.executor = &pool})[1], found[1])) << workers << " workers";
    }
  }
}

}  // namespace
}  // namespace minrnn::tests
